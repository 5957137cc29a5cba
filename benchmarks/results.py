"""What was measured, looked up by part, threads, cell, size and contender."""

import roofline
from sizes import SIZES, forward_flops

TRAINING_PEERS = ("torch", "jax")
INFERENCE_PEERS = ("torch", "onnx")


class Results:
    """Records as the workers write them."""

    def __init__(self, records):
        self.records = records
        self._by_key = {
            (record["part"], record["threads"], record["cell"], record["size"], record["contender"]): record
            for record in records
        }

    def cases(self, part):
        """The (threads, cell, size) of a part, in the order of the run."""
        found = (record for record in self.records if record["part"] == part)
        return list(dict.fromkeys((record["threads"], record["cell"], record["size"]) for record in found))

    def record(self, part, case, contender):
        """The contender's record, empty where it was not entered."""
        return self._by_key.get((part, *case, contender), {})

    def seconds(self, part, case, contender):
        """Median, None where it failed or was not entered."""
        return self.record(part, case, contender).get("median")

    def ratio(self, part, case, above, below):
        """Time of one contender over that of another; None without either."""
        times = self.seconds(part, case, above), self.seconds(part, case, below)
        return None if None in times else times[0] / times[1]

    def best_ratio(self, part, case, peers):
        """Time of the fastest peer over skrnn's; None without any."""
        ratios = [self.ratio(part, case, peer, "skrnn") for peer in peers]
        return min((ratio for ratio in ratios if ratio is not None), default=None)

    def share(self, case):
        """A training step's share of the roofline."""
        ratio = self.ratio("training", case, "roofline", "skrnn")
        if ratio is None:
            return None
        _, cell, size = case
        return 3 * forward_flops(cell, SIZES[size]) / roofline.FLOPS * ratio

    def failures(self):
        """Records without a time."""
        return [record for record in self.records if "failed" in record]
