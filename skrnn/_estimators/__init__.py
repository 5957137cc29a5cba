"""RNNClassifier and RNNRegressor."""
