//! Whether an estimate can be trusted, in words: what is wrong and what to change.

use serde::{Deserialize, Serialize};

use super::Diagnosis;

/// What is wrong with an estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Chains disagree, or are too short to tell.
    NotConverged,
    /// The chains still go somewhere.
    Drift,
    /// The step changes the law that is sampled.
    StepBias,
    /// Two step sizes differ too much for a straight line through them.
    BiasNotResolved,
    /// One step size says nothing of its bias.
    BiasNotMeasured,
    /// Noise of batches heats the chains.
    BatchNoise,
    /// The point lies above losses nearby.
    NotAMinimum,
    /// The energy's law is not that of a well at this temperature.
    WrongLaw,
}

/// The judgement on an estimate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// What is wrong: each fault, with its sentence.
    pub faults: Vec<(Fault, String)>,
    /// What the reader should know, in sentences.
    pub remarks: Vec<String>,
}

impl Verdict {
    /// Nothing was found that speaks against the estimate.
    pub fn is_trustworthy(&self) -> bool {
        self.faults.is_empty()
    }

    /// True when this fault was found.
    pub fn has(&self, fault: Fault) -> bool {
        self.faults.iter().any(|(found, _)| *found == fault)
    }

    /// `trustworthy`, or everything that is wrong.
    pub fn words(&self) -> String {
        if self.is_trustworthy() {
            return "trustworthy".to_string();
        }
        self.faults.iter().map(|(_, words)| words.as_str()).collect::<Vec<_>>().join("; ")
    }
}

/// R-hat and effective sample size beyond which chains have not converged, and those of the strict rule
/// \[Vehtari2021\].
const R_HAT: f64 = 1.05;
const STRICT_R_HAT: f64 = 1.01;
const ESS: f64 = 100.0;
const STRICT_ESS: f64 = 400.0;
/// Drift in standard errors that chance hardly ever makes.
const DRIFT: f64 = 4.0;
/// A step times the largest curvature beyond this is refused: the stiffest direction is sampled with a third too much
/// variance then.
const STIFFNESS: f64 = 1.0;
/// Acceptance below which a step without Metropolis' rule is too long.
const ACCEPTANCE: f64 = 0.95;
/// The same when half the step is there to extrapolate from.
const EXTRAPOLATED_ACCEPTANCE: f64 = 0.9;
/// Part of the value by which two step sizes may differ and still be on a straight line.
const LARGEST_CORRECTION: f64 = 0.1;
/// Part of a step's noise that batches may add.
const BATCH_NOISE: f64 = 0.1;
/// Share of the draws that may lie below the point.
const BELOW_START: f64 = 0.2;
/// Part of the value above which a standard error is worth a remark.
const LARGE_ERROR: f64 = 0.05;
/// Range of the variance of the energy over its mean.
const VARIANCE_RATIO: std::ops::RangeInclusive<f64> = 0.4..=2.0;

/// Judges what was measured.
pub(super) fn judge(found: &Diagnosis) -> Verdict {
    let mut verdict = Verdict::default();
    let mut fault = |fault: Fault, words: String| verdict.faults.push((fault, words));
    let not_converged = found.r_hat > R_HAT || !found.r_hat.is_finite() || found.bulk_ess < ESS;
    if not_converged {
        fault(
            Fault::NotConverged,
            format!(
                "not converged (R-hat {:.3}, effective sample size {:.0}): use more draws{}",
                found.r_hat,
                found.bulk_ess,
                if found.acceptance > 0.99 { " or a larger step" } else { "" }
            ),
        );
    }
    if found.drift.abs() > DRIFT {
        fault(
            Fault::Drift,
            format!("the chains still drift ({:+.1} standard errors from half to half): lengthen burn_in", found.drift),
        );
    }
    if !found.is_exact {
        let (value, _) = found.best();
        let correction = found.extrapolation.map(|two| (found.whole_step.0 - two.half_step.0, two.significance));
        let least_acceptance = if correction.is_some() { EXTRAPOLATED_ACCEPTANCE } else { ACCEPTANCE };
        let is_biased = if found.stiffness > STIFFNESS {
            Some(format!(
                "step bias (step times largest curvature {:.2}, at most 1): use step_size = {:.1e} or less",
                found.stiffness,
                found.step_size / found.stiffness / 3.0
            ))
        } else if found.acceptance < least_acceptance {
            let remedy = if correction.is_some() { "" } else { ", or extrapolation = true" };
            Some(format!(
                "step bias (acceptance {:.3}, at least {least_acceptance}): use a smaller step_size{remedy}",
                found.acceptance
            ))
        } else if found.batch_noise == 0.0 && found.variance_ratio > *VARIANCE_RATIO.end() {
            Some(format!(
                "step bias (variance over mean of the energy {:.1}, 1 for a Gamma law: some steps shot up walls): use a \
                 smaller step_size",
                found.variance_ratio
            ))
        } else {
            None
        };
        let has_bias = is_biased.is_some();
        if let Some(words) = is_biased {
            fault(Fault::StepBias, words);
        }
        match correction {
            None if !has_bias => fault(
                Fault::BiasNotMeasured,
                "step bias not measured: set extrapolation = true, or sampler = \"mala\"".to_string(),
            ),
            Some((difference, significance))
                if significance.abs() > 3.0 && difference.abs() > LARGEST_CORRECTION * value.abs() =>
            {
                fault(
                    Fault::BiasNotResolved,
                    format!(
                        "bias not resolved (half the step changes the value by {:.0} %): use a smaller step_size",
                        100.0 * difference.abs() / value.abs()
                    ),
                );
            }
            _ => {}
        }
    }
    if found.batch_noise > BATCH_NOISE {
        fault(
            Fault::BatchNoise,
            format!(
                "batches add {:.0} % to the noise of a step: use a larger batch_size or a smaller step_size",
                100.0 * found.batch_noise
            ),
        );
    }
    let (value, mcse) = found.whole_step;
    // Losses of batches scatter around that of all samples: only their mean says something of the point.
    let is_below =
        if found.batch_noise > 0.0 { value < -2.0 * mcse } else { found.below_start > BELOW_START || value < 0.0 };
    if is_below {
        fault(
            Fault::NotAMinimum,
            format!(
                "{:.0} % of the draws lie below the point, which is no minimum: train longer, or take another point",
                100.0 * found.below_start
            ),
        );
    }
    if found.is_exact && !not_converged && !VARIANCE_RATIO.contains(&found.variance_ratio) {
        fault(
            Fault::WrongLaw,
            format!(
                "variance over mean of the energy is {:.2} (1 for a Gamma law): wrong temperature, step bias or chains \
                 that have not converged",
                found.variance_ratio
            ),
        );
    }
    remark(found, &mut verdict.remarks);
    verdict
}

fn remark(found: &Diagnosis, remarks: &mut Vec<String>) {
    let (value, mcse) = found.best();
    if mcse > LARGE_ERROR * value.abs() {
        remarks.push(format!("the standard error is {:.0} % of the value: use more draws", 100.0 * mcse / value.abs()));
    }
    if found.r_hat > STRICT_R_HAT && found.r_hat <= R_HAT || (ESS..STRICT_ESS).contains(&found.bulk_ess) {
        remarks.push(format!(
            "R-hat {:.3} and effective sample size {:.0} pass, but not the strict rule (1.01 and 400)",
            found.r_hat, found.bulk_ess
        ));
    }
    if found.is_exact && found.acceptance < 0.2 {
        remarks.push(format!("acceptance {:.2} is low: a smaller step_size would sample faster", found.acceptance));
    }
    if found.sampler == "mala" && found.acceptance > 0.95 {
        remarks.push(format!("acceptance {:.2} is high: a larger step_size would sample faster", found.acceptance));
    }
    if found.radius_ratio > 0.9 {
        remarks.push(format!(
            "most directions are bounded by the prior alone (distance over its radius {:.2}): give localization and \
             temperature with the value",
            found.radius_ratio
        ));
    }
    if found.below_start > 0.01 && found.batch_noise == 0.0 {
        remarks.push(format!("{:.1} % of the draws lie below the point", 100.0 * found.below_start));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::learning_coefficient::Extrapolation;

    fn good() -> Diagnosis {
        Diagnosis {
            sampler: "mala".into(),
            is_exact: true,
            sample_count: 1000,
            inverse_temperature: 144.0,
            localization: 1.0,
            step_size: 1e-3,
            baseline: 0.01,
            whole_step: (2.0, 0.02),
            extrapolation: None,
            r_hat: 1.003,
            bulk_ess: 1500.0,
            tail_ess: 1500.0,
            acceptance: 0.64,
            drift: 0.5,
            variance_ratio: 1.0,
            below_start: 0.0,
            radius_ratio: 0.3,
            mean_distance: 5.0,
            stiffness: 0.5,
            batch_noise: 0.0,
        }
    }

    fn sgld() -> Diagnosis {
        Diagnosis { sampler: "sgld".into(), is_exact: false, acceptance: 0.97, ..good() }
    }

    #[test]
    fn every_fault_is_found_and_nothing_else() {
        let two = |half: f64| Extrapolation {
            half_step: (half, 0.02),
            value: 2.0 * half - 2.0,
            mcse: 0.05,
            significance: (2.0 - half) / 0.028,
        };
        let cases = [
            (good(), vec![]),
            (Diagnosis { r_hat: 1.2, ..good() }, vec![Fault::NotConverged]),
            (Diagnosis { bulk_ess: 60.0, ..good() }, vec![Fault::NotConverged]),
            (Diagnosis { r_hat: f64::NAN, ..good() }, vec![Fault::NotConverged]),
            (Diagnosis { drift: -6.0, ..good() }, vec![Fault::Drift]),
            (sgld(), vec![Fault::BiasNotMeasured]),
            (Diagnosis { acceptance: 0.8, ..sgld() }, vec![Fault::StepBias]),
            (Diagnosis { stiffness: 3.0, ..sgld() }, vec![Fault::StepBias]),
            (Diagnosis { variance_ratio: 30.0, ..sgld() }, vec![Fault::StepBias]),
            (Diagnosis { acceptance: 0.92, extrapolation: Some(two(1.95)), ..sgld() }, vec![]),
            (Diagnosis { acceptance: 0.67, extrapolation: Some(two(1.95)), ..sgld() }, vec![Fault::StepBias]),
            (Diagnosis { extrapolation: Some(two(1.95)), ..sgld() }, vec![]),
            (Diagnosis { extrapolation: Some(two(1.7)), ..sgld() }, vec![Fault::BiasNotResolved]),
            (Diagnosis { below_start: 0.4, ..good() }, vec![Fault::NotAMinimum]),
            (Diagnosis { whole_step: (-0.1, 0.01), ..good() }, vec![Fault::NotAMinimum]),
            (Diagnosis { variance_ratio: 3.0, ..good() }, vec![Fault::WrongLaw]),
            (
                Diagnosis { batch_noise: 0.3, extrapolation: Some(two(1.95)), below_start: 0.4, ..sgld() },
                vec![Fault::BatchNoise],
            ),
        ];
        for (diagnosis, faults) in cases {
            let verdict = judge(&diagnosis);
            let found: Vec<Fault> = verdict.faults.iter().map(|(fault, _)| *fault).collect();
            assert_eq!(found, faults, "{}", verdict.words());
            assert_eq!(verdict.words() == "trustworthy", faults.is_empty());
        }
    }
}
