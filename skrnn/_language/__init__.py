"""RNNLanguageModel: texts as sequences of symbols."""
