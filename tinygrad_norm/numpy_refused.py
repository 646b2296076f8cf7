"""What to write instead of a NumPy function that a Tensor refuses: one line for each reason. Read for an error only."""

from __future__ import annotations

REMEDIES = {
    "Its result counts, and a count has no derivative. A soft histogram is a sum of tg.exp(-((x - center) ** 2))": """
        histogram histogram2d histogramdd histogram_bin_edges unique_counts""",
    "Its result is complex: np.linalg.eigh does it for symmetric matrices, np.linalg.svd for any": """
        linalg.eig linalg.eigvals""",
    "Its result may be complex: a real root r has a gradient as r - p(r) / slope, where r and the slope are plain": """
        roots""",
    "Its result is complex: tg.ops.fft.rfft_pair(x) gives real and imaginary parts along a last axis of length 2": """
        fft.rfft fft.fft fft.ihfft""",
    "Its result is complex: transform axis after axis, as in tg.ops.fft.fft_pair(tg.ops.fft.rfft_pair(x), axis=0)": """
        fft.fft2 fft.fftn fft.rfft2 fft.rfftn""",
    "Take the real and imaginary parts as pairs along a last axis: tg.ops.fft.fft_pair(z, inverse=True) for every axis "
    "but the last one, tg.ops.fft.irfft_pair(z) for that": """
        fft.ifft fft.ifft2 fft.ifftn fft.irfft2 fft.irfftn""",
    "With one variable a row: c = x - x.mean(1, keepdims=True); c @ c.T / (x.shape[1] - 1)": "cov",
    "With one variable a row: c = x - x.mean(1, keepdims=True); c = c / np.linalg.norm(c, axis=1, keepdims=True); "
    "c @ c.T": "corrcoef",
    "Solve for the coefficients: V = tg.stack([x**k for k in range(degree, -1, -1)], -1); np.linalg.lstsq(V, y)[0]": """
        polyfit vander""",
    "Write the polynomial out, by Horner's rule: y = 0, then y = y * x + c for every c": """
        poly polyadd polyder polydiv polyint polymul polysub polyval""",
    "It calls a function of yours for parts of x. Write that function with an axis, or join what it gives "
    "for each part with tg.stack([f(row) for row in x])": """
        apply_along_axis apply_over_axes piecewise frompyfunc""",
    "It writes into an array. Build the result from parts with tg.where, tg.stack or tg.concatenate": """
        add.at subtract.at multiply.at maximum.at minimum.at""",
    "Its result is of integers or booleans, which have no derivative": """
        bitwise_count bitwise_left_shift bitwise_right_shift common_type diag_indices_from gcd isnat ix_ lcm left_shift
        lexsort min_scalar_type packbits ravel_multi_index right_shift tril_indices_from triu_indices_from unpackbits
        unravel_index unique_inverse busday_count busday_offset datetime_as_string is_busday""",
    "Which entries it keeps depends on the values: find their places in x.data, as by "
    "np.unique(x.data, return_index=True)[1], and write x[places]": """
        intersect1d setdiff1d setxor1d union1d unique_all unique_values""",
    "Real numbers are sorted by np.sort": "sort_complex",
    "Write tg.diag(x.ravel())": "diagflat",
    "Space them yourself: start + (stop - start) * np.linspace(0, 1, n), and tg.exp of that on a logarithmic scale": """
        linspace logspace geomspace""",
    "It works on the digits of a number and has no derivative": "frexp",
    "Multiply by a power: x * 2.0**n": "ldexp",
    "Write x - 2 * np.pi * k, with k found from values": "unwrap",
    "Declare it with tg.elementwise: its forward function and its rule": "i0",
    "Write it with x[...], np.repeat or tg.stack of slices: tg.stack([x[i : i + width] for i in range(n)])": """
        lib.stride_tricks.sliding_window_view lib.stride_tricks.as_strided""",
}


def remedy(path: str) -> str:
    """Return what to do instead of ``np.path``; without a line of its own, what always helps."""
    name = path.removeprefix("np.")
    sentences = (sentence for sentence, names in REMEDIES.items() if name in names.split())
    return next(sentences, "Compose it of functions that record (dir(tg) lists them)")
