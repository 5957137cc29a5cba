"""The recurrent cells. One cell is one file: its step and its gradient; `CELLS` names them.

A cell is a module with

- ``GATES``, ``STATES``: the names of the blocks of its parameters and of its states, in order;
- ``SAVED``: the number of K-wide blocks that its forward pass keeps for its backward pass;
- ``variant_of(activation, reset_after)``: the number by which its kernels know its form;
- ``n_biases(variant)``: the rows of its bias;
- ``FORMS``: the arguments of ``variant_of`` that make a difference, one dict a form;
- ``BIAS``: initial biases of its gates that are not zero; ``starts_as_identity(variant)``: initial U;
- ``forward``, ``backward``: the kernels, see ``_scan.pxi``.
"""

from skrnn.cells import gru, lstm, rnn, skip_lstm

CELLS = {"rnn": rnn, "gru": gru, "lstm": lstm, "skip_lstm": skip_lstm}
ACTIVATIONS = rnn.ACTIVATIONS
