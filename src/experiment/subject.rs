//! The loss and the point that a run file is about: a landscape, or a network with its data, trained or loaded.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::check::{self, CheckedRun, Data, Model, Optimizer, Schedule};
use crate::dynamics::polish::polish;
use crate::dynamics::schedule::{Decay, Schedule as Rates};
use crate::dynamics::training::{Batches, Training, TrainingBlock};
use crate::dynamics::{Adam, Optimiser, Rmsprop, Sgd};
use crate::error::{Error, Result};
use crate::estimate::trajectory::{PointArray, Trajectory};
use crate::formats::checkpoint::{Checkpoint, Tensor};
use crate::formats::npz::Array;
use crate::landscape::parameters::{Parameters, Value};
use crate::landscape::{Analytic, ExpressionLandscape, Landscape, Population, Sampled};
use crate::math::random::Stream;
use crate::network::learning_coefficients::deep_linear;
use crate::network::{
    Activation, Dataset, DeepLinear, EmpiricalLoss, Mlp, NamedArray, Precision, TargetKind, TrueMap, named, simd_path,
};
use crate::propagator::StopFlag;
use crate::storage::llc::ModelSummary;
use crate::storage::trajectory::{TRAJECTORY_FILE, trajectory_npz};

/// A loss, a point of it, and what is known of both.
pub(super) struct Subject {
    /// The loss.
    pub(super) landscape: Box<dyn Sampled>,
    /// The point w*.
    pub(super) point: Vec<f64>,
    /// What it is, in words.
    pub(super) description: String,
    /// Part of the samples that are classified right.
    pub(super) accuracy: Option<f64>,
    /// λ and multiplicity by theorem.
    pub(super) exact: Option<(f64, usize)>,
    /// The network, where it is one.
    pub(super) network: Option<Mlp>,
    /// The data of the network.
    pub(super) data: Option<Arc<Dataset>>,
    /// Whether its weights were trained here.
    pub(super) is_trained: bool,
    /// Checkpoints of the training, when they were asked for.
    pub(super) trajectory: Option<PointArray>,
    /// Kernels that compute the loss.
    pub(super) kernels: &'static str,
    /// Citation keys.
    pub(super) references: Vec<&'static str>,
}

/// Kernels of a loss that is computed walker by walker.
const SCALAR: &str = "scalar f64";

/// Builds the subject of a run; trains it when the run says so.
///
/// # Errors
/// Names the key of what cannot be built; a training that diverged or was stopped.
pub(super) fn subject(run: &CheckedRun, seed: u64, threads: NonZeroUsize, stop: &StopFlag) -> Result<Subject> {
    let mut subject = unpolished(run, seed, threads, stop)?;
    if run.llc().polish > 0 {
        let (before, after) = polish(&*subject.landscape, &mut subject.point, run.llc().polish);
        subject.description.push_str(&format!(", polished from a loss of {before:.6e} to {after:.6e}"));
        // The theorem speaks of the point it was given for.
        subject.exact = subject.exact.filter(|_| before == after);
    }
    Ok(subject)
}

fn unpolished(run: &CheckedRun, seed: u64, threads: NonZeroUsize, stop: &StopFlag) -> Result<Subject> {
    match run.model() {
        Model::Mlp { .. } => network(run, seed, threads, stop),
        Model::Linear { kind, widths, singular_values, sample_count } => {
            let (inputs, outputs) = (widths[0], widths[widths.len() - 1]);
            let mut stream = Stream::new(seed, "teacher", 0);
            let truth = TrueMap::random(inputs, outputs, singular_values, &mut stream).map_err(of_the_model)?;
            let landscape = DeepLinear::population(widths, truth, *sample_count).map_err(of_the_model)?;
            // The point where as few units as possible carry the map: its stratum has the global value.
            let known = deep_linear(widths, singular_values.len())?;
            let shape: Vec<String> = widths.iter().map(ToString::to_string).collect();
            let point = landscape.start();
            let description = format!("{kind} network {} at an exact point of least rank", shape.join("-"));
            let exact = Some((known.lambda, known.multiplicity));
            let references = vec!["AoyagiWatanabe2005", "Aoyagi2024"];
            Ok(Subject { references, ..of_landscape(landscape, point, description, exact) })
        }
        Model::Landscape { kind, dimension, formula, parameters, sample_count } => {
            let at = run.llc().at.as_deref();
            if let Some(formula) = formula {
                let landscape = ExpressionLandscape::new(formula, *dimension).map_err(of_the_model)?;
                let point = at.map_or_else(|| vec![0.0; *dimension], <[f64]>::to_vec);
                let description = format!("the formula {formula} at {point:?}");
                return Ok(of_landscape(Population::new(landscape, *sample_count), point, description, None));
            }
            let parameters: Parameters = parameters
                .iter()
                .map(|(name, values)| {
                    let value = match values[..] {
                        [value] => Value::Number(value),
                        _ => Value::Numbers(values.clone()),
                    };
                    (name.clone(), value)
                })
                .collect();
            let landscape = Analytic::build(kind, *dimension, &parameters).map_err(of_the_model)?;
            let known = landscape.minima().into_iter().next();
            let point = match (at, &known) {
                (Some(at), _) => at.to_vec(),
                (None, Some(known)) => known.clone(),
                (None, None) => {
                    let rule = "it has no known minimum";
                    return Err(Error::invalid("model.kind", format!("{kind:?}"), rule, "name a point: llc.at = [..]"));
                }
            };
            // The theorem speaks of the minimum alone.
            let exact = landscape.learning_coefficient().filter(|_| known.as_deref() == Some(&point));
            let description = format!("the landscape {kind} at {point:?}");
            Ok(of_landscape(Population::new(landscape, *sample_count), point, description, exact))
        }
    }
}

fn of_landscape(
    landscape: impl Sampled + 'static,
    point: Vec<f64>,
    description: String,
    exact: Option<(f64, usize)>,
) -> Subject {
    let landscape = Box::new(landscape);
    Subject {
        landscape,
        point,
        description,
        accuracy: None,
        exact,
        network: None,
        data: None,
        is_trained: false,
        trajectory: None,
        kernels: SCALAR,
        references: Vec::new(),
    }
}

/// Landscapes name their keys as problem files do.
fn of_the_model(error: Error) -> Error {
    match error {
        Error::Invalid { name, value, rule, remedy } => {
            let name = name.strip_prefix("landscape").map_or(name.clone(), |rest| format!("model{rest}"));
            Error::Invalid { name, value, rule, remedy: remedy.replace("domain.lower, upper and cells", "llc.at") }
        }
        other => other,
    }
}

/// A network on its data, without weights.
pub(super) struct NetworkLoss {
    /// The network.
    pub(super) mlp: Mlp,
    /// Its loss, in the precision that estimates ask for.
    pub(super) loss: Box<dyn Sampled>,
    /// What it is, in words.
    pub(super) description: String,
}

/// The loss of the network of a run; nothing is trained or loaded.
///
/// # Errors
/// When the model is no network, or its data cannot be read.
pub(super) fn network_loss(run: &CheckedRun, seed: u64) -> Result<NetworkLoss> {
    let Model::Mlp { precision, .. } = run.model() else {
        let rule = "learning coefficients along a run are those of a network";
        return Err(Error::invalid("model.kind", "(given)", rule, "use kind = \"mlp\""));
    };
    let Parts { mlp, dataset } = parts(run, seed)?;
    let loss = loss_in(&mlp, &dataset, run.llc().precision.unwrap_or(*precision))?;
    let description = format!("network {} on {} samples", shape_of(&mlp), dataset.sample_count());
    Ok(NetworkLoss { mlp, loss: Box::new(loss), description })
}

/// A network and its data.
struct Parts {
    mlp: Mlp,
    dataset: Arc<Dataset>,
}

fn parts(run: &CheckedRun, seed: u64) -> Result<Parts> {
    let (Model::Mlp { widths, activation, batch_normalisation, .. }, Some(data)) = (run.model(), run.data()) else {
        return Err(Error::NotFinite { stage: "a network without data".into() });
    };
    let dataset = Arc::new(dataset(run, data, seed)?);
    let activation = match activation {
        check::Activation::Relu => Activation::Relu,
        check::Activation::Tanh => Activation::Tanh,
        check::Activation::Gelu => Activation::Gelu,
        check::Activation::Identity => Activation::Identity,
    };
    Ok(Parts { mlp: Mlp::new(widths, activation, *batch_normalisation)?, dataset })
}

fn loss_in(mlp: &Mlp, dataset: &Arc<Dataset>, precision: check::Precision) -> Result<EmpiricalLoss> {
    let precision = match precision {
        check::Precision::Single => Precision::Single,
        check::Precision::Double => Precision::Double,
    };
    EmpiricalLoss::new(mlp.clone(), dataset.clone(), precision)
}

/// "2-16-16-2".
fn shape_of(mlp: &Mlp) -> String {
    mlp.widths().iter().map(ToString::to_string).collect::<Vec<_>>().join("-")
}

fn network(run: &CheckedRun, seed: u64, threads: NonZeroUsize, stop: &StopFlag) -> Result<Subject> {
    let Model::Mlp { precision, weights, .. } = run.model() else {
        return Err(Error::NotFinite { stage: "a network that is none".into() });
    };
    let Parts { mlp, dataset } = parts(run, seed)?;
    let loss = loss_in(&mlp, &dataset, *precision)?;
    let (point, trajectory, how) = match weights {
        Some(file) => {
            let path = run.resolve(file);
            (load(&mlp, &path, "model.weights")?, None, format!("weights of {file}"))
        }
        None => {
            let (point, trajectory) = train(run, &loss, &mlp, (seed, threads), stop)?;
            (point, trajectory, "trained here".to_string())
        }
    };
    Ok(Subject {
        description: format!("network {} on {} samples, {how}", shape_of(&mlp), dataset.sample_count()),
        accuracy: loss.accuracy(&point),
        exact: None,
        network: Some(mlp.clone()),
        data: Some(dataset.clone()),
        is_trained: weights.is_none(),
        trajectory,
        kernels: simd_path(),
        references: Vec::new(),
        landscape: Box::new(run.llc().precision.map_or(Ok(loss), |other| loss_in(&mlp, &dataset, other))?),
        point,
    })
}

/// Weights of a file for a network, under this program's names or a framework's; `key` names the file in a run file.
pub(super) fn load(mlp: &Mlp, path: &Path, key: &str) -> Result<Vec<f64>> {
    let checkpoint = Checkpoint::open(path)?;
    let array = |tensor: &Tensor| {
        let Array { shape, data } = checkpoint.array(&tensor.name)?;
        Ok(NamedArray { name: tensor.name.clone(), shape, data })
    };
    let weights = checkpoint.tensors().iter().filter(|tensor| !tensor.is_aside());
    let arrays = weights.map(array).collect::<Result<Vec<_>>>()?;
    named::parameters(mlp, &arrays, &path.display().to_string()).map_err(|error| match error {
        Error::Invalid { name, value, rule, remedy } if name == "model.weights" => {
            Error::Invalid { name: key.to_string(), value, rule, remedy }
        }
        other => other,
    })
}

fn dataset(run: &CheckedRun, data: &Data, seed: u64) -> Result<Dataset> {
    let mut stream = Stream::new(seed, "data", 0);
    let kind = |classes: bool| if classes { TargetKind::Classes } else { TargetKind::Values };
    match data {
        Data::TwoMoons { samples, noise } => Dataset::two_moons(*samples, *noise, &mut stream),
        Data::Teacher { widths, samples, noise } => Dataset::teacher(widths, *samples, *noise, &mut stream),
        Data::Idx { images, labels } => Dataset::from_idx(&run.resolve(images), &run.resolve(labels)),
        Data::Csv { file, classes } => Dataset::from_csv(&run.resolve(file), kind(*classes)),
        Data::Npz { file, classes } => Dataset::from_npz(&run.resolve(file), kind(*classes)),
        Data::Digits => Ok(Dataset::digits()),
    }
}

/// Looks at the flag of a training.
const LOOKS: usize = 200;

fn train(
    run: &CheckedRun,
    loss: &EmpiricalLoss,
    mlp: &Mlp,
    (seed, threads): (u64, NonZeroUsize),
    stop: &StopFlag,
) -> Result<(Vec<f64>, Option<PointArray>)> {
    let Some(training) = run.training() else {
        return Err(Error::NotFinite { stage: "a training without settings".into() });
    };
    let optimiser: Box<dyn Optimiser> = match training.optimizer {
        Optimizer::Sgd => {
            Box::new(Sgd { momentum: training.momentum, weight_decay: training.weight_decay, ..Sgd::default() })
        }
        Optimizer::Adam => Box::new(Adam { weight_decay: training.weight_decay, ..Adam::default() }),
        Optimizer::Rmsprop => {
            Box::new(Rmsprop { momentum: training.momentum, weight_decay: training.weight_decay, ..Rmsprop::default() })
        }
    };
    let decay = match training.schedule {
        Schedule::Constant => Decay::Constant,
        Schedule::Cosine => Decay::Cosine { steps: training.steps, end: 0.0 },
    };
    let settings = Training {
        landscape: loss,
        optimiser: &*optimiser,
        schedule: Rates { rate: training.learning_rate, warm_up: 0, decay },
        steps: training.steps,
        batches: training.batch_size.map_or(Batches::Full, Batches::Draws),
        seed,
        threads: threads.get(),
    };
    let start = mlp.initial(&mut Stream::new(seed, "weights", 0));
    let mut blocks = TrainingBlock::all(&[start], 0);
    let looks = (0..training.steps).step_by((training.steps as usize / LOOKS).max(1));
    let kept = training.checkpoints.map(|checkpoints| checkpoints.steps(training.steps)).unwrap_or_default();
    let mut stops: Vec<u64> = looks.chain(kept.iter().copied()).collect();
    stops.sort_unstable();
    stops.dedup();
    let points = Mutex::new(Vec::with_capacity(kept.len() * loss.dimension()));
    let losses = settings.run(&mut blocks, &stops, &|block| {
        if kept.binary_search(&block.step).is_ok() {
            // There is one block, and its steps come in their order.
            let mut points = points.lock().unwrap_or_else(PoisonError::into_inner);
            points.extend(block.walkers.rows().iter().map(|row| row[0]));
        }
        stop.check()
    })?;
    let mut point = vec![0.0; loss.dimension()];
    blocks[0].walkers.read(0, &mut point);
    if losses.iter().chain(&point).any(|value| !value.is_finite()) {
        let stage = "the training: its learning rate is too large";
        return Err(Error::NotFinite { stage: stage.into() });
    }
    let points = points.into_inner().unwrap_or_else(PoisonError::into_inner);
    let times = kept.iter().map(|step| *step as f64).collect();
    let trajectory = if kept.is_empty() { None } else { Some(PointArray::new(times, points)?) };
    Ok((point, trajectory))
}

/// Name of the archive of trained weights in a results folder.
const WEIGHTS_FILE: &str = "weights.npz";

/// Files of a results folder: names and contents.
pub(super) type Files = Vec<(&'static str, Vec<u8>)>;

impl Subject {
    /// The loss of a network in double precision: sections show what single precision would round away.
    pub(super) fn in_double(&self) -> Result<Option<EmpiricalLoss>> {
        let parts = self.network.as_ref().zip(self.data.as_ref());
        parts.map(|(mlp, data)| EmpiricalLoss::new(mlp.clone(), data.clone(), Precision::Double)).transpose()
    }
}

/// What a run leaves of its training: the weights, and the checkpoints when they were asked for.
pub(super) fn files(subject: &Subject) -> Result<Files> {
    let mut files = Vec::new();
    if let Some(network) = subject.network.as_ref().filter(|_| subject.is_trained) {
        files.push((WEIGHTS_FILE, network.to_npz(&subject.point)?));
    }
    if let Some(trajectory) = &subject.trajectory {
        let steps = trajectory.times();
        let parameters: Vec<f64> = (0..steps.len()).flat_map(|k| trajectory.point(k)).copied().collect();
        files.push((TRAJECTORY_FILE, trajectory_npz(steps, &parameters)?));
    }
    Ok(files)
}

/// The subject for a report; `loss` is that of its point.
pub(super) fn summary(subject: &Subject, loss: f64) -> ModelSummary {
    ModelSummary {
        description: subject.description.clone(),
        parameters: subject.point.len(),
        sample_count: subject.landscape.sample_count(),
        loss,
        accuracy: subject.accuracy,
        kernels: subject.kernels.into(),
    }
}
