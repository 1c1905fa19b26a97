"""Features as Parquet columns, and back; images as PNG, which loses nothing."""

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from hiermap.worlds.errors import ConfigError

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
    from PIL import Image
except ImportError as error:
    raise ConfigError("format=lerobot needs the packages pyarrow and pillow; run: pip install 'hiermap[lerobot]'") from error

TABLE_ERRORS = (pa.ArrowException, OSError, ValueError, LookupError, TypeError, OverflowError, SyntaxError, Image.DecompressionBombError)
"""What pyarrow and PIL raise on damaged or foreign bytes."""
MAX_BYTES = 1 << 30
"""Of one walk unpacked: a thousand views of the default size take a tenth."""
_INDEX = "__index_level_0__"
"""What pandas calls a column of row names that have no name."""
Features = Mapping[str, Mapping[str, Any]]


def schema(features: Features) -> pa.Schema:
    """Parquet types of features, with what the package datasets reads of them beside."""
    hugging_face = json.dumps({"info": {"features": {name: _declared(feature) for name, feature in features.items()}}})
    fields = [pa.field(name, _type(feature)) for name, feature in features.items()]
    return pa.schema(fields, {"huggingface": hugging_face})


def table(columns: Mapping[str, np.ndarray], features: Features) -> pa.Table:
    """Columns `[F, ...]` of every feature as a table."""
    told = schema(features)
    return pa.table([_column(columns[field.name], field.type) for field in told], told)


def columns(group: pa.Table, features: Features) -> dict[str, np.ndarray]:
    """Inverse of `table`; ValueError if that was made of other features, or has holes."""
    wanted = schema(features)
    for field in wanted:
        if field.name not in group.schema.names or group.schema.field(field.name).type != field.type:
            raise ValueError(f"its column {field.name} is not {field.type}")
    return {field.name: _values(group.column(field.name).combine_chunks(), features[field.name]) for field in wanted}


def rows(records: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Records of equal keys as a table."""
    return pa.Table.from_pylist([dict(each) for each in records])


def named_rows(number: str, names: Sequence[str]) -> bytes:
    """A Parquet file of a pandas DataFrame whose rows have these names, and whose one column counts them."""

    def told(name: str | None, field: str, kind: str, numpy_kind: str) -> dict[str, Any]:
        return {"name": name, "field_name": field, "pandas_type": kind, "numpy_type": numpy_kind, "metadata": None}

    described = {
        "index_columns": [_INDEX],
        "column_indexes": [],
        "columns": [told(number, number, "int64", "int64"), told(None, _INDEX, "unicode", "object")],
        "creator": {"library": "pyarrow", "version": pa.__version__},
        "pandas_version": "2.2.0",
    }
    fields = [pa.field(number, pa.int64()), pa.field(_INDEX, pa.string())]
    whole = pa.table([pa.array(range(len(names)), pa.int64()), pa.array(names, pa.string())], pa.schema(fields))
    return written([whole.replace_schema_metadata({"pandas": json.dumps(described)})])


def names_of(content: bytes) -> list[str]:
    """The names that `named_rows` was given."""
    return pq.read_table(io.BytesIO(content)).column(_INDEX).to_pylist()


def written(tables: Iterable[pa.Table]) -> bytes:
    """A Parquet file with one row group a table."""
    first, *others = tables
    buffer = io.BytesIO()
    with pq.ParquetWriter(buffer, first.schema, compression="zstd") as writer:
        for each in (first, *others):
            writer.write_table(each, row_group_size=max(1, len(each)))
    return buffer.getvalue()


def row_groups(content: bytes) -> Iterable[pa.Table]:
    """The row groups of a Parquet file; ValueError for one that would take too much memory."""
    file = pq.ParquetFile(io.BytesIO(content))
    for number in range(file.num_row_groups):
        if (size := file.metadata.row_group(number).total_byte_size) > MAX_BYTES:
            raise ValueError(f"it would unpack to {size} bytes, expected at most {MAX_BYTES}")
        yield file.read_row_group(number)


def _type(feature: Mapping[str, Any]) -> pa.DataType:
    kind = feature["dtype"]
    if kind == "image":
        return pa.struct({"bytes": pa.binary(), "path": pa.string()})
    scalar = pa.bool_() if kind == "bool" else pa.type_for_alias(kind)
    if feature["shape"] == [1]:
        return scalar
    return pa.list_(scalar, feature["shape"][0]) if len(feature["shape"]) == 1 else pa.list_(pa.list_(scalar))


def _declared(feature: Mapping[str, Any]) -> dict[str, Any]:
    """The feature as the package datasets writes it."""
    kind, shape = feature["dtype"], feature["shape"]
    if kind == "image":
        return {"_type": "Image"}
    if shape == [1]:
        return {"dtype": kind, "_type": "Value"}
    if len(shape) == 2:
        return {"shape": shape, "dtype": kind, "_type": "Array2D"}
    return {"feature": {"dtype": kind, "_type": "Value"}, "length": shape[0], "_type": "Sequence"}


def _column(values: np.ndarray, kind: pa.DataType) -> pa.Array:
    if pa.types.is_struct(kind):
        return pa.array([{"bytes": _png(image), "path": None} for image in values], kind)
    if pa.types.is_fixed_size_list(kind):
        return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel(), kind.value_type), kind.list_size)
    if pa.types.is_list(kind):
        frames, rows, cells = values.shape
        lines = pa.ListArray.from_arrays(
            np.arange(frames * rows + 1, dtype=np.int32) * cells, pa.array(values.ravel(), kind.value_type.value_type)
        )
        return pa.ListArray.from_arrays(np.arange(frames + 1, dtype=np.int32) * rows, lines)
    return pa.array(values.tolist() if pa.types.is_string(kind) else values, kind)


def _values(column: pa.Array, feature: Mapping[str, Any]) -> np.ndarray:
    if feature["dtype"] == "image":
        return np.array([_pixels(image["bytes"], feature["shape"]) for image in column.to_pylist()], np.uint8)
    values = column
    while pa.types.is_list(values.type) or pa.types.is_fixed_size_list(values.type):
        values = values.flatten()
    if values.null_count:
        raise ValueError("it has holes")
    shape = (len(column), *(feature["shape"] if feature["shape"] != [1] else ()))
    return np.array(values.to_pylist() if feature["dtype"] == "string" else values.to_numpy(zero_copy_only=False)).reshape(shape)


def _png(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def _pixels(content: bytes, shape: Sequence[int]) -> np.ndarray:
    with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
        if [image.height, image.width, len(image.getbands())] != [*shape]:
            raise ValueError(f"an image of {image.height} x {image.width} {image.mode}, expected {shape}")
        return np.asarray(image)
