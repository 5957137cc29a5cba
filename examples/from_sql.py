"""
From an SQL query to predictions in the database
================================================

A Parquet file with a row for each measurement of a patient, made by make_patients. DuckDB selects the rows of two days
by SQL; sequences_from_long lets it sort them, and makes of them a frame: lists of what was measured, and columns for
what belongs to a patient. The net reads all of it, strings and gaps included, and is validated on hospitals that it has
not seen. Its predictions go back to the database, where SQL joins them with what is known. Needs duckdb and pyarrow.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict

from skrnn import RNNClassifier
from skrnn.datasets import make_patients
from skrnn.preprocessing import predictions_to_long, sequences_from_long

QUERY = """
    SELECT *, hour - lag(hour, 1, hour) OVER (PARTITION BY patient ORDER BY hour) AS hours_since
    FROM 'measurements.parquet'
    WHERE hour <= 48
"""
BEST = """
    SELECT ward, count(*) AS patients, round(avg(died), 3) AS died, round(avg(risk), 3) AS predicted
    FROM (SELECT DISTINCT patient, ward, died FROM 'measurements.parquet') JOIN risks USING (patient)
    GROUP BY ward ORDER BY ward
"""


def validated(frame, died, hospitals):
    """The risk of each patient, by a net that has seen no patient of the same hospital."""
    net = RNNClassifier(16, missing="indicator", max_iter=20, random_state=0)
    return cross_val_predict(net, frame, died, groups=hospitals, cv=GroupKFold(4), method="predict_proba")[:, 1]


def main():
    """Query, fit, write back."""
    start = perf_counter()
    with TemporaryDirectory() as folder, duckdb.connect() as connection:
        path = Path(folder, "measurements.parquet")
        pq.write_table(pa.table(dict(make_patients(600, random_state=0))), path)
        rows = connection.sql(QUERY.replace(path.name, str(path)))
        frame, died, _ = sequences_from_long(rows, "patient", "hour", "died", static=["age", "ward", "hospital"])
        print(f"{len(frame)} patients, columns: {', '.join(frame.column_names)}")

        risk = validated(frame.drop_columns("hospital"), died, frame["hospital"].to_numpy())
        print(f"Area under the ROC curve in hospitals that were not seen: {roc_auc_score(died, risk):.3f}")

        connection.register("risks", predictions_to_long(risk, rows, "patient", "hour", names="risk"))
        print(connection.sql(BEST.replace(path.name, str(path))))
    print(f"Took {perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
