//! Blocks of chains on disk while they run: one archive per block, every bit of it.
//!
//! | array | shape | holds |
//! |---|---|---|
//! | `integers` | (20, 4) | seed, first chain, steps, looks, 8 positions of noise and 8 of batches, each as four times 32 bits |
//! | `origin` | (2) | step size, loss of the point |
//! | `walkers`, `vectors`, `numbers` | (d, 8), (k, d, 8), (k, 8) | the walkers and what the sampler remembers |
//! | `loss`, `distance`, `acceptance` | (draws, 8), (draws, 8), (1, 8) | the traces |

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::folder::replace_file;
use crate::dynamics::{BlockName, ChainCheckpoint, ChainStore, ChainTraces, Memory};
use crate::error::{Error, Result};
use crate::formats::npz::{self, Array};
use crate::landscape::{LANES, Lanes, WalkerBlock};

/// Integers of a block, and the parts that each is split into so that a double holds them exactly.
const INTEGERS: usize = 4 + 2 * LANES;
const PARTS: usize = 4;
const PART_BITS: u32 = 32;

/// Chains kept as files of a folder.
#[derive(Clone, Debug)]
pub struct KeptChains {
    folder: PathBuf,
}

impl KeptChains {
    /// In a folder that is there.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        KeptChains { folder: folder.into() }
    }

    /// True when no block is kept.
    pub fn is_empty(&self) -> bool {
        let mut entries = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        !entries.any(|entry| entry.path().extension().is_some_and(|extension| extension == "npz"))
    }

    fn file(&self, name: BlockName) -> PathBuf {
        self.folder.join(format!("chains-{}-{}-{}.npz", name.estimate, name.run, name.block))
    }
}

impl ChainStore for KeptChains {
    fn load(&self, name: BlockName) -> Result<Option<(ChainCheckpoint, ChainTraces)>> {
        let path = self.file(name);
        if !path.exists() {
            return Ok(None);
        }
        let read = npz::read(&path).and_then(|arrays| decode(&path, &arrays));
        read.map(Some).map_err(|error| match error {
            Error::Malformed { path, problem } => {
                Error::Malformed { path, problem: format!("{problem}; leave --resume out to start afresh") }
            }
            other => other,
        })
    }

    fn save(&self, name: BlockName, chains: &ChainCheckpoint, traces: &ChainTraces) -> Result<()> {
        replace_file(&self.file(name), &encode(chains, traces)?)
    }
}

fn encode(chains: &ChainCheckpoint, traces: &ChainTraces) -> Result<Vec<u8>> {
    let counts = [chains.seed, chains.first_chain, chains.steps, u64::from(traces.looks)].map(u128::from);
    let integers: Vec<f64> =
        counts.iter().chain(&chains.noise).chain(&chains.batches).flat_map(|&n| split(n)).collect();
    let dimension = chains.walkers.dimension();
    let vectors: Vec<f64> =
        chains.memory.vectors.iter().flat_map(|block| block.rows().as_flattened()).copied().collect();
    let numbers = chains.memory.numbers.as_flattened();
    npz::to_bytes_stored(&[
        ("integers", &[INTEGERS, PARTS], &integers),
        ("origin", &[2], &[traces.step_size, traces.baseline]),
        ("walkers", &[dimension, LANES], chains.walkers.rows().as_flattened()),
        ("vectors", &[chains.memory.vectors.len(), dimension, LANES], &vectors),
        ("numbers", &[chains.memory.numbers.len(), LANES], numbers),
        ("loss", &[traces.loss.len(), LANES], traces.loss.as_flattened()),
        ("distance", &[traces.distance.len(), LANES], traces.distance.as_flattened()),
        ("acceptance", &[1, LANES], &traces.acceptance),
    ])
}

fn decode(path: &Path, arrays: &BTreeMap<String, Array>) -> Result<(ChainCheckpoint, ChainTraces)> {
    let damaged =
        |name: &str| Error::malformed(path, format!("the array {name} of these chains is not what it should be"));
    let array = |name: &str| arrays.get(name).ok_or_else(|| damaged(name));
    let lanes = |name: &str| -> Result<Vec<Lanes>> {
        let array = array(name)?;
        let rows = array.data.as_chunks::<LANES>();
        if array.shape.last() == Some(&LANES) && rows.1.is_empty() { Ok(rows.0.to_vec()) } else { Err(damaged(name)) }
    };
    let numbers = array("integers")?.data.as_chunks::<PARTS>().0.iter().map(join).collect::<Option<Vec<u128>>>();
    let integers: [u128; INTEGERS] =
        numbers.and_then(|numbers| numbers.try_into().ok()).ok_or_else(|| damaged("integers"))?;
    let small = |place: usize| u64::try_from(integers[place]).map_err(|_| damaged("integers"));
    let &[step_size, baseline] = &array("origin")?.data[..] else { return Err(damaged("origin")) };
    let rows = lanes("walkers")?;
    let &[count, dimension, LANES] = &array("vectors")?.shape[..] else { return Err(damaged("vectors")) };
    if dimension != rows.len() {
        return Err(damaged("vectors"));
    }
    let remembered = lanes("vectors")?;
    let vectors = (0..count).map(|place| block(&remembered[place * dimension..(place + 1) * dimension])).collect();
    let &[acceptance] = &lanes("acceptance")?[..] else { return Err(damaged("acceptance")) };
    let chains = ChainCheckpoint {
        seed: small(0)?,
        first_chain: small(1)?,
        steps: small(2)?,
        walkers: block(&rows),
        noise: std::array::from_fn(|lane| integers[4 + lane]),
        batches: std::array::from_fn(|lane| integers[4 + LANES + lane]),
        memory: Memory { vectors, numbers: lanes("numbers")? },
    };
    let looks = u32::try_from(small(3)?).map_err(|_| damaged("integers"))?;
    let (loss, distance) = (lanes("loss")?, lanes("distance")?);
    Ok((chains, ChainTraces { step_size, baseline, loss, distance, acceptance, looks }))
}

fn block(rows: &[Lanes]) -> WalkerBlock {
    let mut block = WalkerBlock::zeros(rows.len());
    block.rows_mut().copy_from_slice(rows);
    block
}

/// Lowest part first.
fn split(integer: u128) -> [f64; PARTS] {
    std::array::from_fn(|part| f64::from((integer >> (PART_BITS * part as u32)) as u32))
}

fn join(parts: &[f64; PARTS]) -> Option<u128> {
    let is_part = |part: &f64| part.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(part);
    let place = |(place, part): (usize, &f64)| (*part as u128) << (PART_BITS * place as u32);
    parts.iter().all(is_part).then(|| parts.iter().enumerate().map(place).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("porewalk-chains-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        path
    }

    const NAME: BlockName = BlockName { estimate: 2, run: 1, block: 3 };

    fn state() -> (ChainCheckpoint, ChainTraces) {
        let mut walkers = WalkerBlock::at(&[0.1, -1e-310, 3e300]);
        walkers.rows_mut()[1][5] = -0.0;
        let chains = ChainCheckpoint {
            seed: u64::MAX,
            first_chain: 24,
            steps: (1 << 60) + 1,
            walkers: walkers.clone(),
            noise: std::array::from_fn(|lane| (u128::MAX >> lane) - 5),
            batches: std::array::from_fn(|lane| (1 << 67) + lane as u128),
            memory: Memory { vectors: vec![walkers.clone(), WalkerBlock::zeros(3)], numbers: vec![[0.3; LANES]] },
        };
        let traces = ChainTraces {
            loss: vec![[1.0 / 3.0; LANES]; 7],
            distance: vec![[0.7; LANES]; 7],
            acceptance: [0.1 + 0.2; LANES],
            looks: u32::MAX,
            ..ChainTraces::new(1e-7, f64::MIN_POSITIVE, 7)
        };
        (chains, traces)
    }

    #[test]
    fn every_bit_comes_back() {
        let folder = folder("bits");
        let kept = KeptChains::new(&folder);
        assert!(kept.is_empty() && kept.load(NAME).unwrap().is_none());
        let (mut chains, mut traces) = state();
        kept.save(NAME, &chains, &traces).unwrap();
        assert_eq!(kept.load(NAME).unwrap(), Some((chains.clone(), traces.clone())));
        assert!(!kept.is_empty() && kept.load(BlockName { block: 2, ..NAME }).unwrap().is_none());
        // Before the first step, and at the end.
        (chains.memory, traces.loss, traces.distance) = (Memory::default(), Vec::new(), Vec::new());
        kept.save(NAME, &chains, &traces).unwrap();
        assert_eq!(kept.load(NAME).unwrap(), Some((chains.clone(), traces.clone())));
        chains.walkers = WalkerBlock::zeros(0);
        kept.save(NAME, &chains, &traces).unwrap();
        assert_eq!(kept.load(NAME).unwrap(), Some((chains, traces)));
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "no temporary file stays");
    }

    #[test]
    fn damaged_files_are_refused_by_name() {
        let folder = folder("damaged");
        let kept = KeptChains::new(&folder);
        let (chains, traces) = state();
        let whole = encode(&chains, &traces).unwrap();
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 1;
        for bytes in [&whole[..whole.len() / 2], &flipped, b"", &npz::to_bytes(&[("walkers", &[1], &[1.0])]).unwrap()] {
            std::fs::write(kept.file(NAME), bytes).unwrap();
            let error = kept.load(NAME).unwrap_err();
            let text = error.to_string();
            assert!(error.is_input() && text.contains("chains-2-1-3.npz") && text.contains("--resume"), "{text}");
        }
    }
}
