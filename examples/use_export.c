/* Use an exported model where there is no Python: TensorFlow's C library is enough.
 *
 *     TF=$(python -c "import tensorflow as tf; print(tf.sysconfig.get_lib())")
 *     gcc examples/use_export.c -o use_export -I$TF/include -L$TF -Wl,-rpath,$TF \
 *         -l:libtensorflow_cc.so.2 -l:libtensorflow_framework.so.2
 *     ./use_export saved_models/char-lstm serving_default "The "
 *
 * It takes any signature of one text, and prints its output `text`. The names that their tensors
 * have in the graph are read from the model, as they change from one export to the next.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensorflow/c/c_api.h"

static void fail(const char* what, const char* why) {
  fprintf(stderr, "%s: %s\n", what, why);
  exit(1);
}

static void check(const TF_Status* status, const char* what) {
  if (TF_GetCode(status) != TF_OK) fail(what, TF_Message(status));
}

/* A message of protocol buffers, or what is left of it. */
typedef struct {
  const unsigned char* at;
  size_t left;
} Message;

/* Seven bits a byte, the lowest first; the eighth says that more follow. */
static uint64_t varint(Message* message) {
  uint64_t value = 0;
  for (int shift = 0; message->left && shift < 64; shift += 7) {
    const unsigned char byte = *message->at++;
    message->left--;
    value |= (uint64_t)(byte & 127) << shift;
    if (byte < 128) return value;
  }
  fail("saved_model.pb", "it is cut off");
  return 0;
}

/* The next field that is itself a message or a string: its number, or 0 where there is none. */
static int next(Message* message, Message* content) {
  while (message->left) {
    const uint64_t key = varint(message);
    const int kind = key & 7;
    if (kind == 0) {
      varint(message);
      continue;
    }
    const uint64_t size = kind == 1 ? 8 : kind == 5 ? 4 : varint(message);
    if (size > message->left || (kind != 1 && kind != 2 && kind != 5))
      fail("saved_model.pb", "it is damaged");
    *content = (Message){message->at, size};
    message->at += size;
    message->left -= size;
    if (kind == 2) return key >> 3;
  }
  return 0;
}

/* The first field of this number; empty where there is none. */
static Message field(Message message, int number) {
  Message content;
  for (int found; (found = next(&message, &content));)
    if (found == number) return content;
  return (Message){NULL, 0};
}

/* The value of a key in the map that is this field; of the first key, if it is NULL. */
static Message entry(Message message, int number, const char* key) {
  Message content;
  for (int found; (found = next(&message, &content));) {
    if (found != number) continue;
    const Message name = field(content, 1);
    if (!key || (name.left == strlen(key) && !memcmp(name.at, key, name.left)))
      return field(content, 2);
  }
  fail(key ? key : "the signature", "the model has none of this name");
  return message;
}

/* The place in the graph of a tensor that a TensorInfo names, such as `call:4`. */
static TF_Output place(TF_Graph* graph, Message info) {
  char name[1024];
  const Message string = field(info, 1); /* TensorInfo.name */
  snprintf(name, sizeof name, "%.*s", (int)string.left, (const char*)string.at);
  char* colon = strrchr(name, ':');
  if (colon) *colon = '\0';
  const TF_Output found = {TF_GraphOperationByName(graph, name), colon ? atoi(colon + 1) : 0};
  if (!found.oper) fail(name, "the graph has none of this name");
  return found;
}

int main(int count, char** arguments) {
  if (count != 4) {
    fprintf(stderr, "usage: %s FOLDER SIGNATURE TEXT\n", arguments[0]);
    return 2;
  }
  const char* text = arguments[3];
  const char* tags[] = {"serve"};
  TF_Status* status = TF_NewStatus();
  TF_Graph* graph = TF_NewGraph();
  TF_SessionOptions* options = TF_NewSessionOptions();
  TF_Buffer* meta = TF_NewBuffer();
  TF_Session* session =
      TF_LoadSessionFromSavedModel(options, NULL, arguments[1], tags, 1, graph, meta, status);
  check(status, arguments[1]);

  /* MetaGraphDef.signature_def, then SignatureDef.inputs and .outputs */
  const Message signature = entry((Message){meta->data, meta->length}, 5, arguments[2]);
  const TF_Output input = place(graph, entry(signature, 1, NULL));
  const TF_Output output = place(graph, entry(signature, 2, "text"));

  /* A batch of one string. */
  const int64_t shape[] = {1};
  TF_Tensor* given = TF_AllocateTensor(TF_STRING, shape, 1, sizeof(TF_TString));
  TF_TString* string = TF_TensorData(given);
  TF_StringInit(string);
  TF_StringCopy(string, text, strlen(text));

  TF_Tensor* answer = NULL;
  TF_SessionRun(session, NULL, &input, &given, 1, &output, &answer, 1, NULL, 0, NULL, status);
  check(status, "the model does not answer");

  const TF_TString* said = TF_TensorData(answer);
  printf("%.*s\n", (int)TF_StringGetSize(said), TF_StringGetDataPointer(said));

  TF_StringDealloc(string);
  TF_DeleteTensor(given);
  TF_DeleteTensor(answer);
  TF_CloseSession(session, status);
  TF_DeleteSession(session, status);
  TF_DeleteSessionOptions(options);
  TF_DeleteBuffer(meta);
  TF_DeleteGraph(graph);
  TF_DeleteStatus(status);
  return 0;
}
