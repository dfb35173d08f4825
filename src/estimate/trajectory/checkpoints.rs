//! A folder of checkpoints as a trajectory.

use super::Trajectory;
use crate::error::Result;
use crate::formats::checkpoint::CheckpointFolder;

impl Trajectory for CheckpointFolder {
    fn times(&self) -> &[f64] {
        self.times()
    }

    fn dimension(&self) -> usize {
        self.dimension()
    }

    fn read(&self, point: usize, first: usize, out: &mut [f64]) -> Result<()> {
        self.read(point, first, out)
    }
}
