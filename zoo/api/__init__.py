"""The public face, one file a verb. Use them as `zoo.fit`, `zoo.export` and so on."""
