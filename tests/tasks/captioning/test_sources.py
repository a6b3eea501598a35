import io

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

import zoo
from tasks.captioning.sources import open_source
from tasks.captioning.task import Captioning
from tests.tasks.captioning.conftest import jpeg, mean_colours
