//! Folds over the threads of a group, through shared memory, in an order that only sizes fix.

use netform_core::device::Fold;

use crate::shader::{Shader, line};

/// The threads of a group in teams of `lanes`, a power of two.
pub(super) struct Teams {
    pub lanes: usize,
    /// Teams of a group.
    pub count: usize,
}

impl Teams {
    /// Teams for units of `len` elements.
    pub fn new(len: usize) -> Self {
        let threads = super::THREADS as usize;
        let lanes = len.next_power_of_two().clamp(1, threads);
        Teams { lanes, count: threads / lanes }
    }

    /// Declares `lane` and `team`, and the memory that a team shares.
    pub fn declare(&self, shader: &mut Shader) {
        let lanes = self.lanes;
        line!(shader, "let lane = thread % {lanes}u;");
        line!(shader, "let team = thread / {lanes}u;");
        shader
            .declarations
            .push_str(&format!("var<workgroup> shared_: array<f32, {}>;\n", shader.threads));
    }

    /// Folds the values of `variable` over each team: afterwards every thread has the result. All threads of the group
    /// must come by.
    pub fn fold(&self, shader: &mut Shader, fold: Fold, variable: &str) {
        if self.lanes == 1 {
            return;
        }
        line!(shader, "shared_[thread] = {variable};");
        shader.push_line("workgroupBarrier();");
        let mut half = self.lanes / 2;
        while half > 0 {
            let (a, b) = ("shared_[thread]", format!("shared_[thread + {half}u]"));
            let both = combined(fold, a, &b);
            line!(shader, "if (lane < {half}u) {{ {a} = {both}; }}");
            shader.push_line("workgroupBarrier();");
            half /= 2;
        }
        line!(shader, "{variable} = shared_[thread - lane];");
        shader.push_line("workgroupBarrier();");
    }
}

/// Two values of a fold as one.
pub(super) fn combined(fold: Fold, a: &str, b: &str) -> String {
    match fold {
        Fold::Sum => format!("{a} + {b}"),
        Fold::Max => format!("larger({a}, {b})"),
    }
}

/// Where a fold begins.
pub(super) fn beginning(fold: Fold) -> &'static str {
    match fold {
        Fold::Sum => "0.0",
        Fold::Max => "-infinity()",
    }
}
