"""Who dies? Nets on made patients beside models of scikit-learn on summaries. See docs/guide/tables.md.

    python benchmarks/patients.py [--seed 0]
"""

import argparse
import warnings

import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_recall_curve, roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import RNNClassifier
from skrnn.datasets import make_patients
from skrnn.preprocessing import sequences_from_long

SIGNS = ["heart_rate", "systolic_pressure", "oxygen_saturation", "temperature", "lactate"]


def summaries(df):
    """Mean, last, least and greatest value and deviation of each sign, number of rows, age and ward, (patients, 30)."""
    of_signs = {sign: ["mean", "last", "min", "max", "std"] for sign in SIGNS}
    table = df.groupby("patient").agg(of_signs | {"age": "first", "hour": "size"})
    wards = pd.get_dummies(df.groupby("patient").ward.first())
    return np.column_stack([table.to_numpy(), wards]).astype(float)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0, help="of the patients and of the nets")
    seed = parser.parse_args().seed
    warnings.simplefilter("ignore")
    df = pd.DataFrame(make_patients(random_state=seed))
    X, y, patients = sequences_from_long(
        df, "patient", "hour", features=["hour", *SIGNS], target="died", static=["age", "ward"]
    )
    hospitals = df.groupby("patient").hospital.first()[patients]
    net = RNNClassifier(16, missing="indicator", times="hour", early_stopping=True, random_state=seed)
    without = RNNClassifier(16, missing="indicator", early_stopping=True, random_state=seed)
    boosting = HistGradientBoostingClassifier(max_depth=3, max_iter=60, random_state=seed)
    logistic = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression(C=0.1))
    models = {
        "net, calibrated": (CalibratedClassifierCV(net, method="isotonic", cv=4), X),
        "net, calibrated, without times": (
            CalibratedClassifierCV(without, method="isotonic", cv=4), X.drop(columns="hour")
        ),
        "gradient boosting": (boosting, summaries(df)),
        "logistic regression": (logistic, summaries(df)),
    }
    for name, (model, features) in models.items():
        p = cross_val_predict(model, features, y, groups=hospitals, cv=GroupKFold(4), method="predict_proba")[:, 1]
        precision, recall, _ = precision_recall_curve(y, p)
        top = p >= np.quantile(p, 0.8)
        print(
            f"{name:32s} AUC {roc_auc_score(y, p):.3f}; of the fifth with the highest risk {p[top].mean():.1%} are "
            f"predicted to die, {y[top].mean():.1%} died; precision with four of five found "
            f"{precision[:-1][recall[:-1] >= 0.8][-1]:.1%}",
            flush=True,
        )


if __name__ == "__main__":
    main()
