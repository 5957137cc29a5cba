"""Write `keras_fixture.npz`: weights and predictions of small Keras models, for the tests of `from_keras`.

It needs Keras 3, in an environment of its own: ``KERAS_BACKEND=numpy python tests/convert/make_keras_fixture.py``. The
weights are Keras' own initial values, with biases that are not zero.
"""

import json
from pathlib import Path

import keras
import numpy as np
from keras import layers

N, T, D, K = 3, 5, 2, 3


def models():
    """Models by name, of steps with D features, or of D + 2 categories."""
    def dense(n=1, activation=None):
        return layers.Dense(n, activation=activation)

    yield "lstm", [layers.LSTM(K), dense()]
    yield "gru", [layers.GRU(K), dense(3, "softmax")]
    yield "gru before", [layers.GRU(K, reset_after=False), dense(2, "softmax")]
    for activation in ("tanh", "relu", "sigmoid", "linear"):
        yield f"rnn {activation}", [layers.SimpleRNN(K, activation=activation), dense(1, "sigmoid")]
    yield "without biases", [layers.GRU(K, use_bias=False), layers.Dense(2, use_bias=False)]
    yield "stacked", [
        layers.LSTM(K, return_sequences=True), layers.Dropout(0.5), layers.LSTM(K + 1), dense(2, "sigmoid")
    ]
    yield "both directions", [
        layers.Bidirectional(layers.GRU(K, return_sequences=True)), layers.Bidirectional(layers.GRU(K)), dense(),
    ]
    yield "mean", [layers.LSTM(K, return_sequences=True), layers.GlobalAveragePooling1D(), dense()]
    yield "maximum", [
        layers.Bidirectional(layers.LSTM(K, return_sequences=True)), layers.GlobalMaxPooling1D(), dense(3, "softmax"),
    ]
    yield "per step", [layers.GRU(K, return_sequences=True), layers.TimeDistributed(dense(2))]
    yield "embedding", [layers.Embedding(D + 2, 2), layers.LSTM(K), dense(1, "sigmoid")]


def main():
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, T, D)).astype(np.float32)
    categories = rng.integers(0, D + 2, size=(N, T))
    arrays, described = {"X": X, "categories": categories}, {}
    for name, stack in models():
        embedded = name == "embedding"
        model = keras.Sequential([keras.Input((T,) if embedded else (T, D)), *stack])
        model.set_weights([
            rng.normal(size=values.shape).astype(np.float32) / 4 if values.ndim == 1 or not values.any() else values
            for values in model.get_weights()
        ])
        arrays[f"{name}/y"] = np.asarray(model(categories if embedded else X))
        described[name] = []
        for i, layer in enumerate(model.layers):
            weights = layer.get_weights()
            described[name].append([type(layer).__name__, layer.get_config(), len(weights)])
            arrays |= {f"{name}/{i}/{j}": values for j, values in enumerate(weights)}
    text = json.dumps({"keras": keras.__version__, "models": described})
    np.savez_compressed(Path(__file__).with_name("keras_fixture.npz"), models=np.array(text), **arrays)


if __name__ == "__main__":
    main()
