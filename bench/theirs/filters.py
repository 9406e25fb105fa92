"""SciPy, scikit-image, Pillow and NumPy: what a defence does to one photograph, float32 in [0,1]."""
import io

import numpy as np
from PIL import Image


def work(row):
    defense = row["defense"]
    photograph = np.fromfile(row["file"], np.uint8).reshape(row["side"], row["side"], 3)
    return {
        "localGradientSmoothing": smoothing,
        "medianFilter": median,
        "gaussianFilter": gaussian,
        "bilateralFilter": bilateral,
        "jpeg": jpeg,
        "bitDepth": depth,
        "totalVariation": variation,
        "digitalWatermark": watermark,
    }[defense["kind"]](photograph.astype(np.float32) / 255, defense)


def smoothing(x, _, window=15, stride=10, threshold=0.1, factor=2.3):
    n = x.shape[0]
    starts = [*range(0, n - window, stride), n - window]

    def run():
        y = x @ np.array([0.299, 0.587, 0.114], np.float32)
        gx, gy = np.zeros_like(y), np.zeros_like(y)
        gx[:, :-1], gy[:-1] = np.diff(y, axis=1), np.diff(y, axis=0)
        g = np.sqrt(gx * gx + gy * gy)
        g = (g - g.min()) / (g.max() - g.min())
        sums = np.pad(g.astype(np.float64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
        kept = np.zeros(g.shape, bool)
        for top in starts:
            for left in starts:
                bottom, right = top + window, left + window
                if sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left] > threshold * window * window:
                    kept[top:bottom, left:right] = True
        return x * (1 - np.minimum(factor * g * kept, 1))[..., None]

    return run


def median(x, defense):
    from scipy import ndimage

    return lambda: ndimage.median_filter(x, (defense.get("window", 3),) * 2 + (1,), mode="reflect")


def gaussian(x, _):
    from scipy import ndimage

    kernel = np.exp(-np.arange(-2, 3) ** 2 / (2 * 1.1**2))
    kernel /= kernel.sum()
    return lambda: ndimage.convolve1d(ndimage.convolve1d(x, kernel, 0, mode="reflect"), kernel, 1, mode="reflect")


def bilateral(x, _):
    from skimage.restoration import denoise_bilateral

    return lambda: denoise_bilateral(x, win_size=5, sigma_spatial=1, channel_axis=-1)


def jpeg(x, defense):
    def run():
        file = io.BytesIO()
        Image.fromarray((x * 255 + 0.5).astype(np.uint8)).save(file, "JPEG", quality=defense["quality"])
        return np.asarray(Image.open(file)).astype(np.float32) / 255

    return run


def depth(x, defense):
    steps = 2 ** defense["depth"] - 1
    return lambda: np.floor(x * steps + np.float32(0.5)) / steps


def variation(x, defense):
    if defense.get("variant") == "guo":
        import art  # noqa: F401, the toolbox that has it
    from skimage.restoration import denoise_tv_bregman

    return lambda: denoise_tv_bregman(x, weight=10, max_num_iter=100, eps=1e-3, isotropic=True, channel_axis=-1)


def watermark(x, _):
    import cv2

    mask = np.zeros(x.shape[:2], np.uint8)
    mask[20:62, 30:72] = 1
    photograph = (x * 255 + 0.5).astype(np.uint8)
    return lambda: cv2.inpaint(photograph, mask, 3, cv2.INPAINT_TELEA)
