//! The grammars of annotation values, as the peers' users write them.
