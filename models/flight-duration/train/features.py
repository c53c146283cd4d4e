"""What the model sees of a flight, and the pipeline that is fitted on it.

Called by train.py. The inputs are what is known when a seat is sold: schedule and route. Times of the flight
itself (dep_time, dep_delay, arr_time, arr_delay) would leak the answer and are never inputs. The pipeline takes
the raw columns, so that the scoring script needs none of this code.
"""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
from sklearn.compose import ColumnTransformer  # type: ignore[import-untyped]  # ships no types
from sklearn.ensemble import HistGradientBoostingRegressor  # type: ignore[import-untyped]  # ships no types
from sklearn.pipeline import Pipeline  # type: ignore[import-untyped]  # ships no types
from sklearn.preprocessing import OrdinalEncoder  # type: ignore[import-untyped]  # ships no types

ROUTE = ("carrier", "origin", "dest")
SCHEDULE = ("distance", "sched_dep_time", "sched_arr_time")
INPUTS = {**dict.fromkeys(ROUTE, "string"), **dict.fromkeys(SCHEDULE, "number")}
ITERATIONS = 150
REPORT_EVERY = 30  # a warm start bins the rows anew, so each report costs about 0.1 s


def matrix(table: pa.Table, inputs: dict[str, str]) -> np.ndarray:
    """Rows as a model takes them: one column for each of `inputs`, in their order."""
    columns = [table[name].to_numpy(zero_copy_only=False) for name in inputs]
    return np.column_stack([column.astype(object) for column in columns])


def fit(rows: np.ndarray, minutes: np.ndarray, report: Callable[[int, float], None], iterations: int) -> Pipeline:
    """Fit the pipeline; `report(iteration, training mean absolute error)` is called now and then on the way."""
    columns = ColumnTransformer(
        [
            # A carrier or airport never seen in training is a missing value to the trees, not an error.
            ("route", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan), [0, 1, 2]),
            ("schedule", "passthrough", [3, 4, 5]),
        ]
    )
    encoded = columns.fit_transform(rows).astype(np.float64)
    trees = HistGradientBoostingRegressor(
        loss="absolute_error",  # what the gate measures; the mean of a skewed error misses its median
        categorical_features=[0, 1, 2],
        early_stopping=False,
        warm_start=True,
        random_state=0,
    )
    for done in [*range(REPORT_EVERY, iterations, REPORT_EVERY), iterations]:
        trees.set_params(max_iter=done).fit(encoded, minutes)
        report(done, float(np.abs(trees.predict(encoded) - minutes).mean()))
    # The trees are the same however many threads bin the rows, but the file keeps their number: equal data would
    # give other bytes on a machine with other cores.
    trees._bin_mapper.n_threads = 1  # noqa: SLF001 - scikit-learn offers no public name for it
    return Pipeline([("columns", columns), ("trees", trees)])
