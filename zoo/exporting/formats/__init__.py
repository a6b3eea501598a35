"""What an export is written as: SavedModel, LiteRT, ONNX."""
