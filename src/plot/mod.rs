//! Figures, drawn from stored results alone (floor 6).
