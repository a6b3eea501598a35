import pytest

from zoo.errors import UserError
from zoo.training.trainer import Trainer


@pytest.mark.parametrize(
    "wrong, said",
    [
        ({"optimizer": "adamm"}, "Keras has no optimizer 'adamm'"),
        ({"optimizer": "LossScaleOptimizer"}, "Keras has no optimizer 'LossScaleOptimizer'"),
        ({"optimizer_config": {"impulse": 1}}, "Keras has no optimizer 'sgd' with .*impulse"),
        ({"optimizer_config": {"momentum": "x"}}, "momentum"),
        ({"optimizer": "adam", "optimizer_config": {"beta_1": "x"}}, "which adam cannot use"),
        ({"optimizer_config": {"learning_rate": 1.0}}, "a setting of its own"),
    ],
)
def test_unknown_optimizers_are_told_at_once(model, wrong, said, plain_settings):
    with pytest.raises(UserError, match=said):
        Trainer(model, plain_settings(**wrong))
