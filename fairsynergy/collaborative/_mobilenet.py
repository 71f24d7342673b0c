"""MobileNetV3-Large as a device and an edge divide it: eight stages, and what each costs to compute and to send.

The network is cut between stages: the device computes stages 1..k, sends what stage k gives, and the edge computes the
rest; k = 0 sends the image, k = 8 stays on the device. Everything here follows from the table of layers in A. Howard
et al., "Searching for MobileNetV3", ICCV 2019, Table 1, for an image of 224 × 224 pixels and 1,000 classes. The time of
a stage is half its share of the multiplications and half its share of the numbers moved through memory, which is our
choice: neither alone explains the time of small convolutions.

>>> MOBILENET.parameters, int(MOBILENET.multiplications.sum())
(5483032, 216589760)
>>> MOBILENET.outputs
array([200704,  75264,  31360,  15680,  21952,   7840,    960,   1000])
>>> MOBILENET.time.round(3)
array([0.078, 0.229, 0.161, 0.119, 0.182, 0.173, 0.022, 0.035])
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fairsynergy.problem import Array

PIXELS = 224
STAGES = (
    "stem and block 1",
    "blocks 2-3",
    "blocks 4-6",
    "blocks 7-10",
    "blocks 11-12",
    "blocks 13-15",
    "last convolution and pooling",
    "classes",
)
# Weights of 8 bits next to activations of 32: what reading the last layers' weights adds to the numbers moved.
WEIGHT = 0.25


class Block(NamedTuple):
    """An inverted residual block: to which stage it belongs, and its row in the paper's table."""

    stage: int
    kernel: int
    channels: int  # that come in
    expanded: int
    out: int
    squeezed: bool  # has squeeze-and-excitation
    stride: int


BLOCKS = (
    Block(0, 3, 16, 16, 16, False, 1),
    Block(1, 3, 16, 64, 24, False, 2),
    Block(1, 3, 24, 72, 24, False, 1),
    Block(2, 5, 24, 72, 40, True, 2),
    Block(2, 5, 40, 120, 40, True, 1),
    Block(2, 5, 40, 120, 40, True, 1),
    Block(3, 3, 40, 240, 80, False, 2),
    Block(3, 3, 80, 200, 80, False, 1),
    Block(3, 3, 80, 184, 80, False, 1),
    Block(3, 3, 80, 184, 80, False, 1),
    Block(4, 3, 80, 480, 112, True, 1),
    Block(4, 3, 112, 672, 112, True, 1),
    Block(5, 5, 112, 672, 160, True, 2),
    Block(5, 5, 160, 960, 160, True, 1),
    Block(5, 5, 160, 960, 160, True, 1),
)


class Layer(NamedTuple):
    """What one layer adds to its stage."""

    stage: int
    parameters: int
    multiplications: int
    moved: float  # numbers read and written
    output: int


@dataclass(frozen=True, eq=False)
class Network:
    """A network in K stages.

    Parameters
    ----------
    parameters : int
        Weights, biases and the two numbers per channel of each normalisation.
    multiplications : (k,) array
        Multiply-accumulate operations of each stage.
    outputs : (k,) array
        Numbers that each stage passes on.
    time : (k,) array
        Share of each stage in the time of the whole; adds up to 1.
    """

    parameters: int
    multiplications: NDArray[np.int64]
    outputs: NDArray[np.int64]
    time: Array

    @property
    def stages(self) -> int:
        """Number of stages, K."""
        return self.time.size

    @property
    def done(self) -> Array:
        """(k + 1,) share of the time in the stages before each cut: 0 at the first, 1 at the last."""
        return np.concatenate(([0.0], np.cumsum(self.time)))


def _layers() -> Iterator[Layer]:
    """Every layer with weights, and the pooling, in order."""

    def convolution(stage: int, size: int, come: int, go: int, kernel: int, stride: int, groups: int = 1) -> Layer:
        after = size // stride
        weights = come // groups * go * kernel**2
        moved = come * size**2 + go * after**2
        return Layer(stage, weights + 2 * go, weights * after**2, moved, go * after**2)

    def linear(stage: int, come: int, go: int, weight: float = 0.0) -> Layer:
        return Layer(stage, come * go + go, come * go, come + go + weight * come * go, go)

    size = PIXELS
    yield convolution(0, size, 3, 16, 3, 2)
    size //= 2
    for stage, kernel, channels, expanded, out, squeezed, stride in BLOCKS:
        if expanded != channels:
            yield convolution(stage, size, channels, expanded, 1, 1)
        yield convolution(stage, size, expanded, expanded, kernel, stride, groups=expanded)
        size //= stride
        if squeezed:
            narrow = _eighths(expanded // 4)
            yield linear(stage, expanded, narrow)
            yield linear(stage, narrow, expanded)
            # Averaging over the image and scaling it: two more passes, hardly any multiplications.
            yield Layer(stage, 0, 0, 2 * expanded * size**2, expanded * size**2)
        yield convolution(stage, size, expanded, out, 1, 1)
    yield convolution(6, size, 160, 960, 1, 1)
    yield Layer(6, 0, 0, 960 * size**2 + 960, 960)
    yield linear(7, 960, 1280, WEIGHT)
    yield linear(7, 1280, 1000, WEIGHT)


def _eighths(channels: int) -> int:
    """The nearest multiple of 8, never below 8 nor more than a tenth below what was asked (Howard et al.'s code)."""
    near = max(8, (channels + 4) // 8 * 8)
    return near + 8 if near < 0.9 * channels else near


def _network() -> Network:
    layers = list(_layers())
    stages = [[layer for layer in layers if layer.stage == stage] for stage in range(len(STAGES))]
    multiplications = np.array([sum(layer.multiplications for layer in stage) for stage in stages])
    moved = np.array([sum(layer.moved for layer in stage) for stage in stages])
    return Network(
        parameters=sum(layer.parameters for layer in layers),
        multiplications=multiplications,
        outputs=np.array([stage[-1].output for stage in stages]),
        time=0.5 * multiplications / multiplications.sum() + 0.5 * moved / moved.sum(),
    )


MOBILENET = _network()
