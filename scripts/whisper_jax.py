"""The whisper network in JAX, with a low-rank change of the encoder's linear layers that can be trained.

Weights come from CTranslate2's file and keep its names; `encode` and `decode` compute what the library does (compared
by hand: within 4e-4 of outputs up to 21). A change of weight W, (outputs, inputs), is a pair of factors (rank, inputs)
and (outputs, rank), the second zero at first (LoRA: Hu et al., 2021).
"""

from collections.abc import Mapping
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from detector.speech.network_file import read_network

__all__ = ["Change", "Weights", "decode", "encode", "factors_to_add", "no_change", "read_weights"]

Weights = Mapping[str, jax.Array]
Change = dict[str, tuple[jax.Array, jax.Array]]

_HEAD = 64
"""Width of an attention head, in all sizes of whisper."""
_SCALE = 2.0
"""Of the product of the factors."""
_EPSILON = 1e-5


def read_weights(model_dir: Path) -> dict[str, jax.Array]:
    """Return the weights of the float16 model in `model_dir`, as float32."""
    variables = read_network(model_dir / "model.bin").variables
    return {
        name: jnp.asarray(one.values.astype(np.float32))
        for name, one in variables.items()
        if one.sizes and one.is_float16
    }


def no_change(weights: Weights, rank: int, seed: int) -> Change:
    """Return factors whose product is zero, for every linear layer of the encoder."""
    chance = np.random.default_rng(seed)
    linear = [
        name
        for name in weights
        if name.startswith("encoder/layer_") and name.endswith("/weight") and "/linear_" in name
    ]
    change = {}
    for name in linear:
        outputs, inputs = weights[name].shape
        first = chance.standard_normal((rank, inputs)) / np.sqrt(inputs)
        change[name] = (jnp.asarray(first, jnp.float32), jnp.zeros((outputs, rank), jnp.float32))
    return change


def factors_to_add(
    change: Change, share: float
) -> dict[str, tuple[NDArray[np.float16], NDArray[np.float16]]]:
    """Return factors as float16 whose plain products are `share` of the change."""
    return {
        name: (np.asarray(a, np.float16), np.asarray(share * _SCALE * b, np.float16))
        for name, (a, b) in change.items()
    }


def encode(weights: Weights, change: Change, mel: jax.Array) -> jax.Array:
    """Return the states of the encoder, shape (n, frames / 2, width), of spectra (n, bands, frames)."""
    x = _convolve(weights, "encoder/conv1", mel.transpose(0, 2, 1), 1)
    x = _convolve(weights, "encoder/conv2", x, 2)
    x = x + weights["encoder/position_encodings/encodings"][: x.shape[1]]
    for layer in range(_layers(weights, "encoder")):
        name = f"encoder/layer_{layer}"
        x = x + _attend_to_itself(weights, change, name, x, None)
        x = x + _feed_forward(weights, change, name, x)
    return _normalize(weights, "encoder/layer_norm", x)


def decode(
    weights: Weights, change: Change, embedding: jax.Array, tokens: jax.Array, encoded: jax.Array
) -> jax.Array:
    """Return the scores of what follows each token, shape (n, length, rows of `embedding`).

    `tokens` (n, length) are rows of `embedding`, (tokens, width).
    """
    length = tokens.shape[1]
    x = embedding[tokens] + weights["decoder/position_encodings/encodings"][:length]
    earlier = jnp.tril(jnp.ones((length, length), bool))
    for layer in range(_layers(weights, "decoder")):
        name = f"decoder/layer_{layer}"
        x = x + _attend_to_itself(weights, change, name, x, earlier)
        x = x + _attend_to_speech(weights, change, name, x, encoded)
        x = x + _feed_forward(weights, change, name, x)
    return _normalize(weights, "decoder/layer_norm", x) @ embedding.T


def _layers(weights: Weights, part: str) -> int:
    return len(
        {name.split("/")[1] for name in weights if name.startswith(f"{part}/layer_") and "/ffn/" in name}
    )


def _linear(weights: Weights, change: Change, name: str, x: jax.Array) -> jax.Array:
    # On two axes the processor multiplies several times as fast as on three.
    flat = x.reshape(-1, x.shape[-1])
    y = flat @ weights[f"{name}/weight"].T + weights[f"{name}/bias"]
    if factors := change.get(f"{name}/weight"):
        y = y + _SCALE * ((flat @ factors[0].T) @ factors[1].T)
    return y.reshape(*x.shape[:-1], -1)


def _normalize(weights: Weights, name: str, x: jax.Array) -> jax.Array:
    centred = x - x.mean(-1, keepdims=True)
    variance = (centred**2).mean(-1, keepdims=True)
    return centred * jax.lax.rsqrt(variance + _EPSILON) * weights[f"{name}/gamma"] + weights[f"{name}/beta"]


def _convolve(weights: Weights, name: str, x: jax.Array, stride: int) -> jax.Array:
    """Three taps as three products of matrices."""
    frames = x.shape[1]
    padded = jnp.pad(x, ((0, 0), (1, 1), (0, 0)))
    taps = weights[f"{name}/weight"]
    y = sum(padded[:, tap : tap + frames : stride] @ taps[:, :, tap].T for tap in range(3))
    return jax.nn.gelu(y + weights[f"{name}/bias"], approximate=False)


def _attend_to_itself(
    weights: Weights, change: Change, layer: str, x: jax.Array, mask: jax.Array | None
) -> jax.Array:
    name = f"{layer}/self_attention"
    seen = _linear(weights, change, f"{name}/linear_0", _normalize(weights, f"{name}/layer_norm", x))
    query, key, value = jnp.split(seen, 3, axis=-1)
    return _linear(weights, change, f"{name}/linear_1", _attention(query, key, value, mask))


def _attend_to_speech(
    weights: Weights, change: Change, layer: str, x: jax.Array, encoded: jax.Array
) -> jax.Array:
    name = f"{layer}/attention"
    query = _linear(weights, change, f"{name}/linear_0", _normalize(weights, f"{name}/layer_norm", x))
    key, value = jnp.split(_linear(weights, change, f"{name}/linear_1", encoded), 2, axis=-1)
    return _linear(weights, change, f"{name}/linear_2", _attention(query, key, value, None))


def _feed_forward(weights: Weights, change: Change, layer: str, x: jax.Array) -> jax.Array:
    name = f"{layer}/ffn"
    hidden = _linear(weights, change, f"{name}/linear_0", _normalize(weights, f"{name}/layer_norm", x))
    return _linear(weights, change, f"{name}/linear_1", jax.nn.gelu(hidden, approximate=False))


def _attention(query: jax.Array, key: jax.Array, value: jax.Array, mask: jax.Array | None) -> jax.Array:
    q, k, v = (_heads(x) for x in (query, key, value))
    scores = q @ k.transpose(0, 1, 3, 2) / np.sqrt(_HEAD)
    if mask is not None:
        scores = jnp.where(mask, scores, -1e9)
    seen = jax.nn.softmax(scores, axis=-1) @ v
    return seen.transpose(0, 2, 1, 3).reshape(query.shape)


def _heads(x: jax.Array) -> jax.Array:
    return x.reshape(*x.shape[:2], -1, _HEAD).transpose(0, 2, 1, 3)
