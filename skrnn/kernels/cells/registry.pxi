# The cells by name. The file of a cell ends with its call of `register`, which is all that makes it known.

ctypedef void (*FillCell)(int variant, Cell* cell) noexcept

cdef enum:
    MAX_CELLS = 64

CELLS = {}
cdef FillCell[MAX_CELLS] fill_cell      # in the order of CELLS


cdef int register(description, FillCell fill) except -1:
    """Add a cell: its description, and the function that fills in its kernels in each form."""
    cdef Cell cell
    cdef int number = len(CELLS)
    n_biases, n_saved = [], []
    if description.name in CELLS or number == MAX_CELLS:
        raise ImportError(f"there is a cell {description.name!r} already, or there are too many")
    fill_cell[number] = fill
    for variant in range(len(description.forms)):
        cell = cell_of(number, description, variant)
        if cell.project == NULL or cell.step == NULL or cell.step_gradient == NULL:
            raise ImportError(f"{description.name!r}, form {variant}, lacks one of project, step and step_gradient")
        check_terms(description.name, variant, &cell)
        n_biases.append(cell.n_biases)
        n_saved.append(cell.n_saved)
    CELLS[description.name] = replace(description, n_biases=tuple(n_biases), n_saved=tuple(n_saved))
    return 0


cdef Cell cell_named(str name, int variant) except *:
    """The kernels of a cell in one of its forms."""
    if name not in CELLS or not 0 <= variant < len(CELLS[name].forms):
        raise ValueError(f"there is no cell {name!r} with variant={variant}")
    return cell_of(list(CELLS).index(name), CELLS[name], variant)


cdef Cell cell_of(int number, description, int variant) except *:
    cdef Cell cell
    memset(&cell, 0, sizeof(Cell))
    # gates and states are counted in the description alone
    cell.n_gates, cell.n_states = len(description.gates), len(description.states)
    fill_cell[number](variant, &cell)
    return cell


cdef int check_terms(str name, int variant, const Cell* cell) except -1:
    """Raise an ImportError unless the terms of the gradient cover every element of W, U and b exactly once."""
    cdef Term[2 * MAX_TERMS] terms
    cdef Layer layer
    cdef int i, n_terms
    cdef Py_ssize_t row, column, width = 3 * cell.n_gates
    memset(&layer, 0, sizeof(Layer))
    layer.cell, layer.variant, layer.D, layer.K = cell[0], variant, 2, 3
    n_terms = cell.terms(&layer, terms)
    covered = {TO_W: [], TO_U: [], TO_B: []}
    for i in range(min(n_terms, MAX_TERMS)):
        for row in range(terms[i].row, terms[i].row + terms[i].n):
            for column in range(terms[i].column, terms[i].column + terms[i].width):
                covered[terms[i].to].append(row * width + column)
    for matrix, rows in ((TO_W, layer.D), (TO_U, layer.K), (TO_B, cell.n_biases)):
        if n_terms > MAX_TERMS or sorted(covered[matrix]) != list(range(rows * width)):
            raise ImportError(f"the terms of {name!r}, form {variant}, do not cover each of W, U and b exactly once")
    return 0
