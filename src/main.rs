//! The command `porewalk`.

fn main() {}
