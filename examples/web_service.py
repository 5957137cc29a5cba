"""
A web service: predictions of sequences, and of streams step by step
====================================================================

One process serves several requests at once by threads, which may all predict with one net. A client that measures
something opens a WebSocket at /stream, sends a step after the other, and after each has the probabilities so far: the
state of its sequence is one row of numbers, kept for each connection. Needs fastapi and uvicorn; for WebSockets
uvicorn[standard]. ::

    python web_service.py model.skrnn       # writes the file first, if it is not there
    curl localhost:8000/predict -H 'content-type: application/json' -d '{"sequences": [[[0.1, 1.2], [0.3, 0.9]]]}'
"""

import sys
from pathlib import Path
from typing import Annotated

import numpy as np
from fastapi import FastAPI, HTTPException, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, Field

import skrnn
from skrnn.datasets import make_adding

# Of one request: what a net is asked for is bounded before it is read
MAX_SEQUENCES, MAX_STEPS = 1000, 10_000

Step = list[float | None]       # null is a missing value
Steps = Annotated[list[Step], Field(min_length=1, max_length=MAX_STEPS)]


class Request(BaseModel):
    """Sequences of any lengths, each a list of steps of the same features."""

    sequences: Annotated[list[Steps], Field(min_length=1, max_length=MAX_SEQUENCES)]


def make_app(net):
    """The service of a fitted RNNClassifier."""
    app = FastAPI(title="skrnn")

    classes = net.classes_.tolist()

    def answer(p):
        return {"label": classes[p.argmax()], "probabilities": p.tolist()}

    @app.get("/")
    def description():
        return {"classes": classes, "features": net.n_features_in_, "skrnn": skrnn.__version__}

    # Not async: FastAPI runs it in threads of its own, and other requests go on while a long one is computed
    @app.post("/predict")
    def predict(request: Request):
        try:
            return list(map(answer, net.predict_proba(request.sequences)))
        except (ValueError, TypeError) as error:        # names the sequence, and says what was expected
            raise HTTPException(422, str(error)) from error

    @app.websocket("/stream")
    async def stream(socket: WebSocket):
        await socket.accept()
        state = net.initial_state()
        try:
            while True:
                try:
                    p, state = net.predict_proba_step(await socket.receive_json(), state)
                except (ValueError, TypeError) as error:        # the stream goes on from the state before
                    await socket.send_json({"error": str(error)})
                else:
                    await socket.send_json(answer(p))
        except WebSocketDisconnect:
            return

    return app


def fitted():
    """A net for a first try: whether the sum of the two marked numbers of a sequence is above 1."""
    X, y = make_adding(500, 20, random_state=0)
    return skrnn.RNNClassifier(16, max_iter=10, random_state=0).fit(X.astype(np.float32), y > 1)


def main():
    """Serve the net of a file."""
    import uvicorn

    path = Path(sys.argv[1] if len(sys.argv) > 1 else "model.skrnn")
    if not path.exists():
        skrnn.save(fitted(), path)
    uvicorn.run(make_app(skrnn.load(path)))


if __name__ == "__main__":
    main()
