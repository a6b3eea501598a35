/* Use an exported model where there is no Python: TensorFlow's C library is enough.
 *
 *     TF=$(python -c "import tensorflow as tf; print(tf.sysconfig.get_lib())")
 *     gcc examples/use_export.c -o use_export -I$TF/include -L$TF -Wl,-rpath,$TF \
 *         -l:libtensorflow_cc.so.2 -l:libtensorflow_framework.so.2
 *     ./use_export saved_models/char-lstm serving_default_prompts StatefulPartitionedCall_4 0 "The "
 *
 * The names are those that this prints:
 *
 *     saved_model_cli show --dir saved_models/char-lstm --tag_set serve --signature_def serving_default
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensorflow/c/c_api.h"

static void check(const TF_Status* status, const char* what) {
  if (TF_GetCode(status) == TF_OK) return;
  fprintf(stderr, "%s: %s\n", what, TF_Message(status));
  exit(1);
}

static TF_Output place(TF_Graph* graph, const char* name, int index) {
  TF_Output found = {TF_GraphOperationByName(graph, name), index};
  if (found.oper == NULL) {
    fprintf(stderr, "the model has no %s\n", name);
    exit(1);
  }
  return found;
}

int main(int count, char** arguments) {
  if (count != 6) {
    fprintf(stderr, "usage: %s FOLDER INPUT OUTPUT INDEX TEXT\n", arguments[0]);
    return 2;
  }
  const char* text = arguments[5];
  const char* tags[] = {"serve"};
  TF_Status* status = TF_NewStatus();
  TF_Graph* graph = TF_NewGraph();
  TF_SessionOptions* options = TF_NewSessionOptions();
  TF_Session* session =
      TF_LoadSessionFromSavedModel(options, NULL, arguments[1], tags, 1, graph, NULL, status);
  check(status, arguments[1]);

  /* A batch of one string. */
  const int64_t shape[] = {1};
  TF_Tensor* given = TF_AllocateTensor(TF_STRING, shape, 1, sizeof(TF_TString));
  TF_TString* string = TF_TensorData(given);
  TF_StringInit(string);
  TF_StringCopy(string, text, strlen(text));

  TF_Output input = place(graph, arguments[2], 0);
  TF_Output output = place(graph, arguments[3], atoi(arguments[4]));
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
  TF_DeleteGraph(graph);
  TF_DeleteStatus(status);
  return 0;
}
