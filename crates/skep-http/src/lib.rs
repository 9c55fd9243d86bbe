//! The HTTP edge: extract, call `app`, convert.
