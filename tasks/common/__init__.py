"""What tasks share: splits, sources, tables, tokenizers, classification, caches."""
