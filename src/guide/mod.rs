//! The guide: what is solved, how, and how to extend it.
//!
//! | page | what it answers |
//! |---|---|
//! | [`equation`] | which equation, which signs, which units, which exact answers |
//! | [`discretisation`] | cells, faces, fluxes, the operator and its stationary state |
//! | [`time`] | Caputo schemes, memory, the Krylov propagator and its error estimate |
//! | [`learning`] | learning coefficients: the estimator, its samplers, and how a number comes to be trusted |
//! | [`displacement`] | the exponent of a displacement: its fits, intervals, phases, models, and where they fail |
//! | [`sections`] | lines and planes through a landscape, and learning coefficients on them |
//! | [`checkpoints`] | which checkpoints are read, how steps and tensors are chosen, what is refused |
//! | [`extending`] | how to add a landscape, a flux, a scheme, a propagator |
//! | [`dependencies`] | why each dependency is there |
//! | [`references`] | the citation keys |

#[doc = include_str!("equation.md")]
pub mod equation {}

#[doc = include_str!("discretisation.md")]
pub mod discretisation {}

#[doc = include_str!("time.md")]
pub mod time {}

#[doc = include_str!("learning.md")]
pub mod learning {}

#[doc = include_str!("displacement.md")]
pub mod displacement {}

#[doc = include_str!("sections.md")]
pub mod sections {}

#[doc = include_str!("checkpoints.md")]
pub mod checkpoints {}

#[doc = include_str!("extending.md")]
pub mod extending {}

#[doc = include_str!("dependencies.md")]
pub mod dependencies {}

#[doc = include_str!("references.md")]
pub mod references {
    /// The full reference of a citation key, as the page lists it.
    ///
    /// ```
    /// let full = porewalk::guide::references::find("Ruhe1984").expect("a listed key");
    /// assert!(full.starts_with("A. Ruhe"));
    /// ```
    pub fn find(key: &str) -> Option<&'static str> {
        let wanted = format!("- `[{key}]` ");
        include_str!("references.md").lines().find_map(|line| line.strip_prefix(&wanted))
    }
}
