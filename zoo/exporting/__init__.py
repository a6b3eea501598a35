"""From a trained model to something that runs without the zoo."""
