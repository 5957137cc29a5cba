def check_consistent(estimator):
    pass
