//! Neural networks whose shapes are checked and whose gradients are written at compile time.
