"""What the columns of tables hold, which is looked at before their values are converted to numbers."""


def library_of(X):
    """The name of the package that X is from."""
    return type(X).__module__.partition(".")[0]


def schema_of(X):
    """The names and dtypes of the columns of a data frame, an Arrow table, a series or an Arrow array; else none."""
    library = library_of(X)
    if library == "polars" and type(X).__name__ == "DataFrame":
        return list(X.schema.items())
    if library == "pyarrow":
        if hasattr(X, "schema"):
            return [(field.name, field.type) for field in X.schema]
        return [(None, X.type)] if hasattr(X, "type") else []
    if library == "pandas" and hasattr(X, "columns"):
        return list(zip(X.columns, X.dtypes, strict=True))
    is_column = hasattr(X, "dtype") and (library == "pandas" or hasattr(X, "to_list"))
    return [(getattr(X, "name", None), X.dtype)] if is_column else []


def dtype_of(column):
    """The dtype of a column of any library; None where it has none."""
    return column.dtype if hasattr(column, "dtype") else getattr(column, "type", None)


def innermost(dtype, until=()):
    """The dtype of the values in a column, which may hold lists of them, or codes of them.

    `until` are names of dtypes that are not looked into.
    """
    dtype = getattr(dtype, "pyarrow_dtype", dtype)
    while kind_name(dtype) not in until and (hasattr(dtype, "inner") or hasattr(dtype, "value_type")):
        dtype = dtype.inner if hasattr(dtype, "inner") else dtype.value_type
    return dtype


def kind_name(dtype):
    """The name of the class of a dtype, which polars may have in the place of an instance."""
    return getattr(dtype, "__name__", type(dtype).__name__)


def check_schema(X, name, unique_names=False):
    """Raise a TypeError that names the first column of dates, times, durations or periods.

    With `unique_names` raise a ValueError if two columns have the same name.
    """
    schema = schema_of(X)
    if unique_names:
        check_unique([column for column, _ in schema], name)
    for column, dtype in schema:
        if _is_temporal(innermost(dtype)):
            raise TypeError(f"{name} has dtype {dtype}{in_column(column)}, {no_dates(column)}")


def check_unique_names(X, name):
    """Raise a ValueError if two columns of a table have the same name."""
    check_unique([column for column, _ in schema_of(X)], name)


def check_unique(names, name):
    """Raise a ValueError for the first name of a column that repeats."""
    if len(set(names)) < len(names):
        twice = next(column for i, column in enumerate(names) if column in names[:i])
        raise ValueError(f"{name} has two columns {twice!r}, expected different names: rename one")


def in_column(column):
    """What messages say of where a column is."""
    return "" if _unnamed(column) else f" in the column {column!r}"


def no_dates(column=None):
    """What messages expect instead of dates."""
    time = "..." if _unnamed(column) else repr(column)
    return (
        "expected numbers: convert dates and times, for example to seconds since the first, or leave them out; to "
        f"order the rows of a long table use sequences_from_long(time={time})"
    )


def _unnamed(column):
    return column is None or column == ""       # as a series of polars


def _is_temporal(dtype):
    if hasattr(dtype, "is_temporal"):
        return dtype.is_temporal()
    if library_of(dtype) == "pyarrow":
        from pyarrow import types

        return types.is_temporal(dtype)
    return getattr(dtype, "kind", "") in ("m", "M") or type(dtype).__name__ == "PeriodDtype"
