//! What an intent means on AWS: the model, its lowering and its comparison.
