"""Layers of PyTorch in the zoo give the numbers of PyTorch."""

import json
from pathlib import Path

import numpy as np
import pytest

import zoo as public
from zoo import UserError
from zoo.importing import torch_layers
from zoo.importing.torch_file import read_torch
from zoo.importing.torch_layers import build, equations, find_layers, import_torch
from zoo.importing.weights import fill

FOLDER = Path(__file__).parents[2] / "fixtures" / "torch_files"
OUTPUTS = np.load(FOLDER / "outputs.npz")


NAMES = ["lstm", "lstm_plain", "gru", "gru_both", "rnn", "projected", "projected_both"]


@pytest.mark.parametrize("name", NAMES)
def test_the_outputs_are_those_of_pytorch(name):
    layers = find_layers(read_torch(FOLDER / f"{name}.pt"), name, None, None)
    np.testing.assert_allclose(build(layers)(OUTPUTS["x"]), OUTPUTS[name], atol=2e-6)
    np.testing.assert_allclose(equations(layers, OUTPUTS["x"]), OUTPUTS[name], atol=2e-6)


def test_the_file_gives_them_too(tmp_path):
    _, difference = import_torch(FOLDER / "gru.pt", tmp_path / "out.keras")
    model = public.load(tmp_path / "out.keras")
    np.testing.assert_allclose(model(OUTPUTS["x"]), OUTPUTS["gru"], atol=2e-6)
    assert difference < 2e-6


def test_a_projected_lstm_comes_with_its_memory(zoo, tmp_path):
    out = tmp_path / "out.keras"
    code, printed, _ = zoo("import", "torch", FOLDER / "projected_both.pt", out)
    assert code == 0
    assert printed.startswith("projected_lstm, layers: 2, units: 3, memory: 8, both ways, for")
    np.testing.assert_allclose(public.load(out)(OUTPUTS["x"]), OUTPUTS["projected_both"], atol=2e-6)


def test_rectified_units_have_to_be_named(tmp_path):
    import_torch(FOLDER / "rnn_relu.pt", tmp_path / "out.keras", activation="relu")
    outputs = public.load(tmp_path / "out.keras")(OUTPUTS["x"])
    np.testing.assert_allclose(outputs, OUTPUTS["rnn_relu"], atol=2e-6)
    with pytest.raises(UserError, match=r"--activation is for torch\.nn\.RNN"):
        import_torch(FOLDER / "gru.pt", tmp_path / "other.keras", activation="relu")


@pytest.mark.parametrize(
    ("prefix", "name"), [("model.encoder.rnn", "encoder"), ("model.decoder.", "decoder")]
)
def test_a_module_of_a_larger_one_is_chosen(zoo, tmp_path, prefix, name):
    out = tmp_path / "out.keras"
    code, said, _ = zoo("import", "torch", FOLDER / "two.pt", out, "--prefix", prefix, "--json")
    assert code == 0 and json.loads(said)["largest_difference"] < 1e-5
    np.testing.assert_allclose(public.load(out)(OUTPUTS["x"]), OUTPUTS[f"two/{name}"], atol=2e-6)


def refused(answer, *said):
    code, out, err = answer
    assert code == 2 and out == "" and err.startswith("error: ") and err.count("\n") == 1
    for words in said:
        assert words in err


def test_what_cannot_be_imported_is_told_in_a_line(zoo, tmp_path):
    out = tmp_path / "out.keras"
    refused(zoo("import", "torch", FOLDER / "two.pt", out), "--prefix", "model.encoder.rnn")
    refused(zoo("import", "torch", FOLDER / "two.pt", out, "--prefix", "x"), "named x")
    refused(zoo("import", "torch", FOLDER / "views.pt", out), "no weights of torch.nn.LSTM", "part")
    refused(zoo("import", "torch", FOLDER / "module.pt", out), "torch.nn.modules.rnn.GRU")
    refused(zoo("import", "torch", FOLDER / "gru.pt", tmp_path / "out.h5"), ".keras")
    refused(zoo("import", "torch", FOLDER / "gru.pt", tmp_path / "x" / "out.keras"), "no folder")
    refused(zoo("import", "torch", tmp_path / "none.pt", out), "no file")
    assert list(tmp_path.iterdir()) == []
    out.write_text("precious")
    refused(zoo("import", "torch", FOLDER / "gru.pt", out), "exists already")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"weight_hh_l1": None}, "weight_hh_l1 is missing"),
        ({"bias_hh_l0": None}, "bias_hh_l0 is missing"),
        ({"weight_ih_l9": np.zeros((12, 4))}, "is missing, or one too many"),
        ({"weight_ih_l999999999": np.zeros((12, 4))}, "is missing, or one too many"),
        ({"weight_ih_l1": np.zeros((12, 5), "f4")}, r"shape \[12, 5\], but"),
        ({"weight_ih_l0": np.zeros(12, "f4")}, r"shape \[12\], but"),
        ({"bias_ih_l0": np.zeros(12, "i8")}, "int64"),
        ({"weight_hh_l0": np.zeros((13, 4), "f4")}, "of no known kind"),
        ({"weight_hh_l0": np.zeros((0, 0), "f4")}, "of no known kind"),
    ],
)
def test_a_state_dict_that_is_not_whole_is_told(change, said):
    tensors = {**read_torch(FOLDER / "gru.pt"), **change}
    tensors = {key: value for key, value in tensors.items() if value is not None}
    with pytest.raises(UserError, match=said):
        find_layers(tensors, "x.pt", None, None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weight_hr_l0": None}, "no weight_hr_l0 of two axes"),
        ({"weight_hr_l1_reverse": None}, "weight_hr_l1_reverse is missing"),
        (
            {"weight_hr_l1": np.zeros((3, 7), "f4")},
            r"shape \[3, 7\], but numbers of shape \[3, 8\]",
        ),
        ({"weight_hr_l0": np.zeros((3, 0), "f4")}, "of no known kind"),
        ({"weight_hr_l0": np.zeros((3, 5), "f4")}, "of no known kind"),
    ],
)
def test_a_projection_that_is_not_whole_is_refused(change, message):
    tensors = {**read_torch(FOLDER / "projected_both.pt"), **change}
    tensors = {key: value for key, value in tensors.items() if value is not None}
    with pytest.raises(UserError, match=message):
        find_layers(tensors, "x.pt", None, None)


def with_large_weights(name, scale):
    """Multiply weights, so that each step magnifies the rounding of the one before."""
    tensors = read_torch(FOLDER / f"{name}.pt")
    return {key: (scale * value).astype(value.dtype) for key, value in tensors.items()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "activation"), [("gru", None), ("rnn", "tanh"), ("rnn", "relu"), ("projected", None)]
)
@pytest.mark.parametrize("scale", [30, pytest.param(1000, marks=pytest.mark.slow)])
def test_rounding_that_large_weights_magnify_is_let_through(
    tmp_path, monkeypatch, name, activation, scale
):
    tensors = with_large_weights(name, scale)
    monkeypatch.setattr(torch_layers, "read_torch", lambda path: tensors)
    import_torch(FOLDER / f"{name}.pt", tmp_path / "out.keras", activation=activation)
    assert (tmp_path / "out.keras").exists()


@pytest.mark.parametrize("name", ["gru", "rnn", "projected"])
def test_one_wrong_gate_is_seen_in_a_layer_of_large_weights(tmp_path, monkeypatch, name):
    tensors = with_large_weights(name, 30)
    monkeypatch.setattr(torch_layers, "read_torch", lambda path: tensors)

    def fill_wrongly(cell, weights, order, wanted):
        fill(cell, weights, order, wanted)
        cell.recurrent_kernel.assign(-cell.recurrent_kernel)

    monkeypatch.setattr(torch_layers, "fill", fill_wrongly)
    with pytest.raises(UserError, match="nothing was written"):
        import_torch(FOLDER / f"{name}.pt", tmp_path / "out.keras")


@pytest.mark.parametrize("wrong", [0.001, np.nan])
def test_outputs_that_differ_are_not_written(tmp_path, monkeypatch, wrong):
    monkeypatch.setattr(torch_layers, "equations", lambda *arguments: equations(*arguments) + wrong)
    with pytest.raises(UserError, match="nothing was written"):
        import_torch(FOLDER / "gru.pt", tmp_path / "out.keras")
    assert list(tmp_path.iterdir()) == []
