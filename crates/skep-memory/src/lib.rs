//! Capture normalising, redaction, distilling, ranking and packing; pure.
