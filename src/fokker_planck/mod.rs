//! The Fokker-Planck operator on a mesh, its stationary state and initial densities (floor 2).
//!
//! ```text
//! A p = div( D grad p + γ p grad L )
//! ```
//!
//! Sign: the flux is -(D grad p + γ p grad L), so that exp(-γ L/D) carries none when D is uniform.

pub mod complex_shifted;
pub mod diffusivity;
pub mod fields;
pub mod flux;
pub mod initial;
pub mod numerical_range;
pub mod operator;
pub mod sensitivity;
pub mod shifted;
pub mod stationary;
pub mod varying;

pub use complex_shifted::{ComplexShiftedFactor, ComplexShiftedSystem};
pub use diffusivity::{Diffusivity, DiffusivityField, FieldDiffusivity, UniformDiffusivity};
pub use fields::{CoarseGrained, FormulaDiffusivity, GridDiffusivity, LearningCoefficient};
pub use flux::Flux;
pub use initial::InitialDensity;
pub use operator::{FokkerPlanck, Operator};
pub use sensitivity::{Parameter, RateDerivatives};
pub use shifted::{FactorizationKind, ShiftedFactor, ShiftedSystem};
pub use stationary::{Stationary, StationaryMethod};
pub use varying::Varying;
