import json
import re
import shutil
import unicodedata

import pytest
from PIL import Image

from tasks.captioning.caption_files import find_caption_files, read_captions
from tasks.captioning.folders import read_folder
from zoo.errors import UserError


def texts(folder, form):
    """The captions of `photos` in one of the forms, written into a folder; returns the file."""
    captions = {f"photo{i}.jpg": [f"a dog, number {i}", f"it runs | {i}"] for i in range(12)}
    pairs = [(name, n, text) for name, texts in captions.items() for n, text in enumerate(texts)]
    lines = {
        "captions.txt": ["image,caption", *(f'{name},"{text}"' for name, _, text in pairs)],
        "captions.csv": ["caption,image", *(f'"{text}",{name}' for name, _, text in pairs)],
        "Flickr8k.token.txt": [f"{name}#{n}\t{text}" for name, n, text in pairs],
        "results_20130124.token": [f"{name}#{n}\t{text}" for name, n, text in pairs],
        "results.csv": [
            "image_name| comment_number| comment",
            *(f"{name}| {n}| {text}" for name, n, text in pairs),
        ],
    }
    images = [{"id": i, "file_name": f"photo{i}.jpg"} for i in range(12)]
    annotations = [{"image_id": int(name[5:-4]), "caption": text} for name, _, text in pairs]
    sides = ["train"] * 8 + ["restval", "val", "val", "test"]
    karpathy = [
        {"filename": name, "split": side, "sentences": [{"raw": text} for text in captions[name]]}
        for name, side in zip(captions, sides)
    ]
    whole = {
        "captions_train2017.json": {"images": images, "annotations": annotations},
        "dataset_flickr8k.json": {"images": karpathy},
    }
    file = folder / form
    file.parent.mkdir(parents=True, exist_ok=True)
    said = "\n".join(lines[form]) if form in lines else json.dumps(whole[form])
    file.write_text(said + "\n", encoding="utf-8")
    return captions


FORMS = [
    ("Images", ".", "captions.txt"),
    ("images", ".", "captions.csv"),
    (".", ".", "captions.txt"),
    ("Flicker8k_Dataset", "Flickr8k_text", "Flickr8k.token.txt"),
    ("flickr30k_images", ".", "results_20130124.token"),
    ("flickr30k_images", ".", "results.csv"),
    ("train2017", "annotations", "captions_train2017.json"),
    ("Images", ".", "dataset_flickr8k.json"),
]


@pytest.mark.parametrize(("images", "beside", "form"), FORMS)
def test_every_form_gives_the_same_captions(tmp_path, photos, images, beside, form, capsys):
    photos(tmp_path / images)
    captions = texts(tmp_path / beside, form)
    parts = read_folder(tmp_path)
    found = {p.source.name: p.captions for part in parts.values() for p in part}
    assert found == captions
    assert all(p.source.is_file() for part in parts.values() for p in part)
    assert capsys.readouterr().err == ""
    again = read_folder(tmp_path / beside / form)
    assert again == parts


def test_a_token_file_may_be_called_captions(tmp_path, photos):
    photos(tmp_path)
    captions = texts(tmp_path, "Flickr8k.token.txt")
    (tmp_path / "Flickr8k.token.txt").rename(tmp_path / "captions.txt")
    parts = read_folder(tmp_path)
    assert {p.source.name: p.captions for part in parts.values() for p in part} == captions


def test_of_two_token_files_the_plain_one_is_read(tmp_path, photos):
    photos(tmp_path)
    texts(tmp_path, "Flickr8k.token.txt")
    (tmp_path / "Flickr8k.lemma.token.txt").write_text("photo1.jpg#0\tdog run\n")
    assert sum(map(len, read_folder(tmp_path).values())) == 12


def test_copies_of_an_image_are_in_one_split_whatever_they_are_called(tmp_path, photos):
    captions = photos(tmp_path, 60)
    for n in range(25):
        shutil.copy(tmp_path / f"photo{n}.jpg", tmp_path / f"copy{n}.jpg")
        captions[f"copy{n}.jpg"] = ["A copy"]
    lines = [f"{name},{text}" for name, texts in captions.items() for text in texts]
    (tmp_path / "captions.txt").write_text("\n".join(["image,caption", *lines]))
    parts = read_folder(tmp_path)
    sides = {picture.source.name: split for split, part in parts.items() for picture in part}
    assert all(sides[f"photo{n}.jpg"] == sides[f"copy{n}.jpg"] for n in range(25))
    assert len({*sides.values()}) == 3


def test_links_are_followed_and_what_is_hidden_is_not(tmp_path, photos, capsys):
    photos(tmp_path / "elsewhere")
    folder = tmp_path / "my {data}"
    texts(folder, "captions.txt")
    (folder / "Images").symlink_to(tmp_path / "elsewhere")
    (folder / "around").symlink_to(folder)
    photos(folder / "__MACOSX", prefix="._photo")
    photos(folder / ".trash", prefix="old")
    assert sum(map(len, read_folder(folder).values())) == 12
    assert capsys.readouterr().err == ""


def names(parts):
    return {split: [picture.source.name for picture in part] for split, part in parts.items()}


def test_without_split_files_a_tenth_is_for_validation_and_test_each(tmp_path, photos):
    captions = photos(tmp_path, 60)
    for name in captions:
        (tmp_path / name).with_name(f"new_{name}").write_bytes((tmp_path / name).read_bytes())

    def splits(names):
        lines = [f"{name},a dog" for name in names]
        (tmp_path / "captions.txt").write_text("\n".join(["image,caption", *lines]))
        parts = read_folder(tmp_path)
        return {p.source.name: split for split, part in parts.items() for p in part}

    few, first = splits([*captions][:12]), splits(captions)
    assert {*few.values()} == {"train", "validation", "test"}
    assert all(2 <= [*first.values()].count(split) <= 14 for split in ("validation", "test"))
    # Others that come later move none that was learned, and none that is tested.
    later = splits([*captions, *(f"new_{name}" for name in captions)])
    assert all(later[name] == "train" for name, split in few.items() if split == "train")
    assert {name: later[name] for name in first} == first


def test_split_files_say_which_image_is_where(kaggle, capsys):
    folder, _ = kaggle
    for side, chosen in (("train", range(6)), ("dev", [6, 7]), ("test", [0, 8, 9])):
        listed = "\n".join(f"photo{index}.jpg" for index in chosen)
        (folder / f"Flickr_8k.{side}Images.txt").write_text(listed)
    parts = names(read_folder(folder))
    # What is in two of them is not for training.
    assert parts["train"] == [f"photo{index}.jpg" for index in range(1, 6)]
    assert parts["validation"] == ["photo6.jpg", "photo7.jpg"]
    assert parts["test"] == ["photo0.jpg", "photo8.jpg", "photo9.jpg"]
    assert "left out 2 images in no split: photo10.jpg, photo11.jpg" in capsys.readouterr().err


def test_a_split_without_its_file_is_cut_from_the_training_images(kaggle):
    folder, _ = kaggle
    (folder / "train.txt").write_text("\n".join(f"photo{i}" for i in range(11)))
    (folder / "test.txt").write_text("photo11")
    parts = names(read_folder(folder))
    assert parts["test"] == ["photo11.jpg"] and parts["validation"]
    assert sum(map(len, parts.values())) == 12


def test_karpathys_splits_are_kept(tmp_path, photos):
    photos(tmp_path)
    texts(tmp_path, "dataset_flickr8k.json")
    assert [len(part) for part in read_folder(tmp_path).values()] == [9, 2, 1]


def test_cocos_two_files_are_two_splits(tmp_path, photos):
    for split, count in (("train", 10), ("val", 4)):
        photos(tmp_path / f"{split}2017", count, prefix=split)
        images = [{"id": i, "file_name": f"{split}{i}.jpg"} for i in range(count)]
        annotations = [{"image_id": i, "caption": "a dog"} for i in range(count)]
        file = tmp_path / "annotations" / f"captions_{split}2017.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps({"images": images, "annotations": annotations}))
    (tmp_path / "annotations" / "instances_val2017.json").write_text("{}")
    parts = names(read_folder(tmp_path))
    assert parts["validation"] == [f"val{i}.jpg" for i in range(4)]
    assert len(parts["train"]) + len(parts["test"]) == 10
    assert parts["test"] and all(name.startswith("train") for name in parts["test"])


def paint(path, colour):
    Image.new("RGB", (48, 32), colour).save(path)


@pytest.mark.parametrize("form", ["captions_train2017.json", "dataset_flickr8k.json"])
def test_a_caption_without_words_in_a_json_is_left_out(tmp_path, photos, form, capsys):
    photos(tmp_path)
    texts(tmp_path, form)
    (tmp_path / form).write_text((tmp_path / form).read_text().replace("a dog, number 7", "-"))
    parts = read_folder(tmp_path)
    found = {p.source.name: len(p.captions) for part in parts.values() for p in part}
    assert sum(found.values()) == 23 and found["photo7.jpg"] == 1
    assert f"{form}: left out 1 record without a caption: photo7.jpg" in capsys.readouterr().err


def coco(folder, change=lambda content: None, count=12):
    """COCO's json of `photos`, with one caption each, changed; returns its file."""
    images = [{"id": i, "file_name": f"photo{i}.jpg"} for i in range(count)]
    annotations = [{"id": i, "image_id": i, "caption": f"a dog {i}"} for i in range(count)]
    content = {"images": images, "annotations": annotations}
    change(content)
    file = folder / "captions_train2017.json"
    file.write_text(json.dumps(content))
    return file


def first_caption(value):
    def change(content):
        content["annotations"][5]["caption"] = value

    return change


def no_caption(content):
    del content["annotations"][5]["caption"]


@pytest.mark.parametrize("change", [*map(first_caption, (None, "", 7, ["a"])), no_caption])
def test_a_record_of_a_json_without_a_caption_is_left_out(tmp_path, photos, change, capsys):
    photos(tmp_path)
    file = coco(tmp_path, change)
    assert sum(map(len, read_folder(tmp_path).values())) == 11
    told = capsys.readouterr().err
    assert f"{file}: left out 1 record without a caption: photo5.jpg\n" in told


@pytest.mark.parametrize("kind", [str, float, "{:012}".format, " {} ".format])
def test_ids_that_are_numbers_here_and_text_there_are_the_same(tmp_path, kind):
    def change(content):
        for annotation in content["annotations"]:
            annotation["image_id"] = kind(annotation["image_id"])

    captions = read_captions(coco(tmp_path, change)).captions
    assert captions == {f"photo{i}.jpg": [f"a dog {i}"] for i in range(12)}


def test_annotations_of_images_that_a_json_does_not_list_are_named(tmp_path, photos, capsys):
    def change(content):
        content["annotations"] += [{"image_id": 70, "caption": "a cat"}, {"caption": "a cat"}]
        content["images"] += [{"id": 80, "file_name": "bare.jpg"}]

    photos(tmp_path)
    (tmp_path / "photo0.jpg").with_name("bare.jpg").write_bytes(b"")
    coco(tmp_path, change)
    read_folder(tmp_path)
    told = capsys.readouterr().err
    assert "left out 1 annotation of images that it does not list: image_id 70\n" in told
    assert "left out 1 record without a caption: annotation 14\n" in told
    assert "left out 1 image without captions: bare.jpg\n" in told


def test_two_images_of_one_id_are_refused(tmp_path):
    def change(content):
        content["images"][3]["id"] = "2"

    with pytest.raises(UserError, match=r"two images of the id 2, photo2.jpg and photo3.jpg"):
        read_captions(coco(tmp_path, change))


def test_a_json_with_a_byte_order_mark_and_folders_in_its_names_is_read(tmp_path, photos):
    def change(content):
        for image in content["images"]:
            image["file_name"] = f"train2017\\{image['file_name']}"

    photos(tmp_path / "data" / "train2017")
    file = coco(tmp_path, change)
    file.write_text(file.read_text(), encoding="utf-8-sig")
    assert sum(map(len, read_folder(tmp_path).values())) == 12


def test_karpathys_paths_tell_images_of_one_name_apart(tmp_path):
    images = []
    for n, (side, split) in enumerate((("train2014", "train"), ("val2014", "restval"))):
        for name in ("a.jpg", "b.jpg", "c.jpg"):
            (tmp_path / side).mkdir(exist_ok=True)
            paint(tmp_path / side / name, (90 * n, 9, 9))
            words = {"tokens": ["all", side]} if name == "a.jpg" else {"raw": f"all {side}"}
            sentences = [words, {"raw": None}]
            image = {"filepath": side, "filename": name, "split": split, "sentences": sentences}
            images.append(image)
    (tmp_path / "dataset_coco.json").write_text(json.dumps({"images": images}))
    pictures = [picture for part in read_folder(tmp_path).values() for picture in part]
    assert len(pictures) == 6
    assert all(picture.captions == [f"all {picture.source.parent.name}"] for picture in pictures)


def test_every_image_that_the_library_reads_is_taken(tmp_path, capsys):
    kinds = [("jfif", "jpeg"), ("jpe", "jpeg"), ("tif", "tiff"), ("jp2", "jpeg2000")]
    kinds += [("webp", "webp"), ("bmp", "bmp"), ("gif", "gif"), ("ppm", "ppm"), ("tga", "tga")]
    for n, (ending, kind) in enumerate(kinds):
        Image.new("RGB", (48, 32), (9 * n, 9, 9)).save(tmp_path / f"{n}.{ending.upper()}", kind)
    for name in ("10.heic", "11.unknown"):
        (tmp_path / name).write_bytes(b"\0\0\0\x18ftypheic")
    (tmp_path / "12.heif").write_bytes(b"")
    (tmp_path / "features.h5").write_bytes(b"")
    names = [*(f"{n}.{ending}" for n, (ending, _) in enumerate(kinds)), "10.heic", "11.unknown"]
    lines = [f"{name},a wall" for name in [*names, "13.jpg"]]
    (tmp_path / "captions.txt").write_text("\n".join(["image,caption", *lines]))
    parts = read_folder(tmp_path)
    found = {picture.source.name.lower() for part in parts.values() for picture in part}
    assert found == {*names}
    told = capsys.readouterr().err
    assert "1 image with captions, but not there: 13.jpg\n" in told
    assert "left out 1 image without captions: 12.heif\n" in told


def test_of_an_original_and_its_copy_in_another_format_the_one_that_can_be_read_is_taken(
    kaggle, capsys
):
    folder, _ = kaggle
    (folder / "Images" / "photo3.heic").write_bytes(b"\0\0\0\x18ftypheic")
    text = (folder / "captions.txt").read_text().replace(".jpg", "")
    (folder / "captions.txt").write_text(text)
    parts = read_folder(folder)
    assert "photo3.jpg" in {picture.source.name for part in parts.values() for picture in part}
    assert "different images" not in capsys.readouterr().err


def same_names(folder, sides, names):
    """COCO's form with images of the same names in the folder of each split."""
    for side, colour in sides.items():
        (folder / f"{side}2017").mkdir(parents=True)
        for name in names:
            paint(folder / f"{side}2017" / name, colour)
        images = [{"id": i, "file_name": name} for i, name in enumerate(names)]
        annotations = [{"image_id": i, "caption": f"all {colour}"} for i in range(len(names))]
        file = folder / "annotations" / f"captions_{side}2017.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps({"images": images, "annotations": annotations}))


def test_the_same_name_in_two_splits_is_two_images(tmp_path, capsys):
    colours = {"train": "red", "val": "blue", "test": "green"}
    same_names(tmp_path, colours, [f"{i}.jpg" for i in range(4)])
    (tmp_path / "train2017" / "3.jpg").unlink()
    parts = read_folder(tmp_path)
    for split, side, count in (
        ("train", "train", 3),
        ("validation", "val", 4),
        ("test", "test", 4),
    ):
        assert [p.source.parent.name for p in parts[split]] == [f"{side}2017"] * count
        assert all(p.captions == [f"all {colours[side]}"] for p in parts[split])
    assert "1 image with captions, but not there: 3.jpg" in capsys.readouterr().err


def test_a_name_that_different_images_have_is_left_out_but_not_that_of_a_copy(kaggle, capsys):
    folder, _ = kaggle
    (folder / "more").mkdir()
    paint(folder / "more" / "photo3.jpg", "blue")
    (folder / "more" / "photo4.jpg").write_bytes((folder / "Images" / "photo4.jpg").read_bytes())
    parts = names(read_folder(folder))
    found = sum(map(len, parts.values()))
    assert found == 11 and not any("photo3.jpg" in part for part in parts.values())
    assert "left out 1 name that different images have: photo3.jpg" in capsys.readouterr().err
    # A path tells which.
    said = (folder / "captions.txt").read_text().replace("photo3.jpg", "more/photo3.jpg")
    (folder / "captions.txt").write_text(said)
    assert sum(map(len, read_folder(folder).values())) == 12


def test_names_with_accents_are_found_in_either_form(tmp_path):
    for i in range(6):
        paint(tmp_path / unicodedata.normalize("NFD", f"caf\u00e9{i}.jpg"), "red")
    lines = ["image,caption", *(f"caf\u00e9{i}.jpg,a cup" for i in range(6))]
    (tmp_path / "captions.txt").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "test.txt").write_text("caf\u00e90\ncaf\u00e91", encoding="utf-8")
    assert [len(part) for part in read_folder(tmp_path).values()] == [3, 1, 2]


def test_what_has_no_other_half_is_counted_and_named(kaggle, photos, capsys):
    folder = kaggle[0].rename(kaggle[0].with_name("my {data}"))
    photos(folder / "Images", 5, prefix="bare")
    with (folder / "captions.txt").open("a") as file:
        file.write("\ngone1.jpg,a cat\ngone2.jpg,a cat\nphoto1.jpg,\nphoto2.jpg\nphoto3.jpg,...")
    read_folder(folder)
    told = capsys.readouterr().err
    assert "2 images with captions, but not there: gone1.jpg, gone2.jpg\n" in told
    assert "left out 5 images without captions: bare0.jpg, bare1.jpg, bare2.jpg, ...\n" in told
    assert "captions.txt: left out 3 records without a caption: line 28, line 29, line 30\n" in told


def test_a_line_that_flickr30k_has_broken_is_left_out(tmp_path, photos, capsys):
    photos(tmp_path)
    texts(tmp_path, "results.csv")
    with (tmp_path / "results.csv").open("a") as file:
        file.write("photo3.jpg| 4   A dog runs .\n")
    assert sum(map(len, read_folder(tmp_path).values())) == 12
    assert "results.csv: left out 1 record without a caption: line 26" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        (
            "captions.txt",
            "photo1.jpg,a dog",
            r"captions.txt line 1 is 'photo1.jpg,a dog': expected",
        ),
        ("captions.csv", "image,title\na,b", r"captions.csv line 1 is 'image,title': expected the"),
        ("captions.txt", "", r"captions.txt is empty"),
        ("captions.txt", "image,caption\n", r"no image of \S+ has a caption: it has 12 images"),
        ("captions.txt", "image,caption\nx.jpg,a cat", r"names 1 that are not there"),
        (
            "captions.txt",
            "image,caption\nphoto1.jpg,a cat",
            r"has 1 images with captions for training",
        ),
        ("captions_train2017.json", "{", r"captions_train2017.json line 1 is not json"),
        ("captions_train2017.json", '{"images": []}', r"no image of \S+ has a caption"),
        ("captions_train2017.json", '{"annotations": []}', r"has no captions: expected `images`"),
        ("other.json", "[1]", r"other.json has no captions: expected `images`"),
        ("notes.txt", "words", r"has no file of captions: captions.txt with the columns"),
    ],
)
def test_captions_that_cannot_be_used_are_one_line(tmp_path, photos, file, content, said):
    photos(tmp_path)
    (tmp_path / file).write_text(content)
    with pytest.raises(UserError, match=said) as caught:
        read_folder(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (['photo3.jpg,"unclosed here'], "a quotation mark that is not closed"),
        (['photo3.jpg,"unclosed here', 'photo4.jpg,"a cat"'], "is no row of fields (',' expected"),
        (['photo3.jpg,"open', "photo4.jpg,a cat", 'photo5.jpg,a dog"'], "over lines of other"),
    ],
)
def test_an_unclosed_quotation_mark_swallows_no_other_lines(kaggle, lines, said):
    with (kaggle[0] / "captions.txt").open("a") as file:
        file.write("\n" + "\n".join([*lines, "photo6.jpg,a bird"]))
    with pytest.raises(UserError, match=re.escape(said)) as caught:
        read_folder(kaggle[0])
    assert "\n" not in str(caught.value) and "captions.txt, line 26" in str(caught.value)


@pytest.mark.parametrize("first", ["", "sep=;\n"])
def test_a_csv_may_have_semicolons_and_captions_commas_without_quotation_marks(tmp_path, first):
    text = "image;caption\na.jpg;a dog; two cats\nb.jpg;'a' cat, black"
    (tmp_path / "captions.csv").write_text(first + text)
    captions = read_captions(tmp_path / "captions.csv").captions
    assert captions == {"a.jpg": ["a dog; two cats"], "b.jpg": ["'a' cat, black"]}
    (tmp_path / "captions.csv").write_text("image,caption\na.jpg,a dog, two cats\nb.jpg,a cat")
    captions = read_captions(tmp_path / "captions.csv").captions
    assert captions == {"a.jpg": ["a dog, two cats"], "b.jpg": ["a cat"]}


def test_a_caption_in_quotation_marks_may_go_over_lines(kaggle):
    with (kaggle[0] / "captions.txt").open("a") as file:
        file.write('\nphoto3.jpg,"a ""big"" cat, which\nlooks at me, with a dog"')
    found = read_captions(kaggle[0] / "captions.txt").captions["photo3.jpg"][-1]
    assert found == 'a "big" cat, which\nlooks at me, with a dog'


def test_captions_that_are_not_utf8_are_one_line(tmp_path, photos):
    photos(tmp_path)
    (tmp_path / "captions.txt").write_bytes(b"image,caption\nphoto1.jpg,caf\xe9")
    with pytest.raises(UserError, match=r"captions.txt is not UTF-8 text \(byte 28\)"):
        read_folder(tmp_path)


def test_objects_of_a_line_each_name_a_picture_and_say_its_caption(tmp_path, photos):
    captions = photos(tmp_path)
    lines = [
        json.dumps({"file_name": name, "text": text, "split": None})
        for name, texts in captions.items()
        for text in [*texts, "..."]
    ]
    (tmp_path / "metadata.jsonl").write_text("\n".join(lines), encoding="utf-8")
    found = read_captions(find_caption_files(tmp_path)[1][0])
    assert found.captions == captions
    assert found.blank == [f"line {number}" for number in range(3, 3 * len(captions) + 1, 3)]
    (tmp_path / "metadata.jsonl").write_text('{"file_name": "a.jpg", "label": "x"}')
    with pytest.raises(UserError, match="line 1 has file_name, label, but the name of an image"):
        read_captions(tmp_path / "metadata.jsonl")
