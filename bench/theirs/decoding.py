"""Pillow: 100 files, read and decoded to pixels in [0,1]."""
from pathlib import Path

import numpy as np
from PIL import Image


def work(row):
    files = sorted(Path(row["folder"]).rglob("*.*"))

    def run():
        for file in files:
            with Image.open(file) as picture:
                np.asarray(picture).astype(np.float32) / 255

    return run
