//! What tiles of a product are loaded from: matrices, or what a convolution sees as one.
//!
//! Tiles are loaded by blocks of 4 x 4 elements, each as four vectors of four rows (or columns) at one depth: what is
//! summed over is the depth. A place in memory is a part that only the row fixes and one that only the depth fixes.

use netform_core::device::Span;

use crate::shader::{Place, Shader, line};

/// What one access to memory gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kernels) enum Access {
    /// One element.
    Single,
    /// Four neighbours at depths from a multiple of 4 on.
    Deep,
    /// Four neighbouring rows from a multiple of 4 on.
    Wide,
}

/// A text of what only the row, and of what only the depth fixes.
type Element<'s> = Box<dyn Fn(&[String], &[String]) -> String + 's>;

/// A matrix of rows (or columns) and depths, by the text of its accesses.
pub(in crate::kernels) struct Source<'s> {
    pub access: Access,
    /// Whether neighbours in memory differ in depth: neighbouring threads then do too.
    pub along: bool,
    /// The number of its rows.
    pub rows: String,
    /// Expressions of `row`. With [`Access::Wide`] it is the first of four.
    pub of_row: Vec<String>,
    /// Expressions of `depth`. With [`Access::Deep`] it is the first of four.
    pub of_depth: Vec<String>,
    /// The element, or the vector, by the variables that hold these expressions.
    pub element: Element<'s>,
}

/// The element at the sum of both parts, one of which has the offset.
pub(in crate::kernels) fn whole(place: Place) -> impl Fn(&[String], &[String]) -> String {
    move |row, depth| place.at_all(&format!("{} + {}", row[0], depth[0]))
}

/// A matrix of a batch: where it lies.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct Matrix {
    pub span: Span,
    /// Elements from one matrix to the next.
    pub step: usize,
    /// Its rows, or columns, along which the result has them too.
    pub rows: usize,
    /// What is summed over.
    pub depth: usize,
    /// Whether what is summed over lies side by side.
    pub along: bool,
}

impl Matrix {
    /// How it can be read: by vectors where all of them begin at multiples of 4.
    pub fn access(&self) -> Access {
        let side = if self.along { self.depth } else { self.rows };
        let vectors = [self.span.offset, self.step, side].iter().all(|n| n.is_multiple_of(4));
        match vectors && side > 0 {
            true if self.along => Access::Deep,
            true => Access::Wide,
            false => Access::Single,
        }
    }

    /// The matrix of number `product`.
    pub fn source(self, shader: &mut Shader) -> Source<'static> {
        let access = self.access();
        let by = if access == Access::Single { 1 } else { 4 };
        let place = match access {
            Access::Single => shader.read(self.span),
            Access::Deep | Access::Wide => shader.read_vectors(self.span),
        };
        let offset = place.offset.clone();
        let step = shader.word(self.step / by);
        let first = if self.step == 0 { offset } else { format!("{offset} + product * {step}") };
        let pitch = if self.along { self.depth } else { self.rows };
        let pitch = shader.word(pitch / by);
        // Across what lies side by side, and along it.
        let far = |variable: &str| format!("{variable} * {pitch}");
        let near = |variable: &str| match by {
            1 => variable.to_owned(),
            _ => format!("{variable} / {by}u"),
        };
        let (of_row, of_depth) = match self.along {
            true => (far("row"), near("depth")),
            false => (near("row"), far("depth")),
        };
        Source {
            access,
            along: self.along,
            rows: shader.word(self.rows),
            of_row: vec![format!("{first} + {of_row}")],
            of_depth: vec![of_depth],
            element: Box::new(whole(place)),
        }
    }
}

impl Source<'_> {
    /// How many rows of a block have expressions of their own.
    fn own_rows(&self) -> usize {
        if self.access == Access::Wide { 1 } else { 4 }
    }

    /// How many variables [`Source::fix`] sets.
    pub fn fixed(&self) -> usize {
        self.own_rows() * self.of_row.len()
    }

    /// Sets `fixed`, of a block whose first row is `i`. A row beyond the last one is that one: nothing is made of what
    /// comes of it.
    pub fn fix(&self, shader: &mut Shader, fixed: &[String]) {
        let count = self.own_rows();
        let each = fixed.len().checked_div(count).unwrap_or_default();
        for c in 0..count {
            let last = if count == 1 { 4 } else { 1 };
            line!(shader, "{{\nlet row = least(i + {c}u, {} - {last}u);", self.rows);
            for (name, value) in fixed[c * each..].iter().zip(&self.of_row) {
                line!(shader, "{name} = {value};");
            }
            shader.push_line("}");
        }
    }

    /// Sets the four vectors `to` of a block at depth `d`; `checked` where it may reach beyond `end`, where all is 0.
    pub fn load(&self, shader: &mut Shader, fixed: &[String], to: &[String; 4], checked: bool) {
        let each = fixed.len() / self.own_rows();
        let row = |c: usize| &fixed[c * each..(c + 1) * each];
        let deep = self.access == Access::Deep;
        for j in 0..if deep { 1 } else { 4 } {
            let size = if deep { 4 } else { 1 };
            line!(
                shader,
                "{{\nlet depth = {};",
                match checked {
                    true => format!("least(d + {j}u, end - {size}u)"),
                    false => format!("d + {j}u"),
                }
            );
            let mut depth = vec![];
            for (n, value) in self.of_depth.iter().enumerate() {
                line!(shader, "let e{n} = {value};");
                depth.push(format!("e{n}"));
            }
            let element = |c: usize| (self.element)(row(c), &depth);
            let zero = |value: String| match checked {
                true => format!("select(vec4<f32>(), {value}, d + {j}u < end)"),
                false => value,
            };
            match self.access {
                Access::Wide => line!(shader, "{} = {};", to[j], zero(element(0))),
                Access::Single => {
                    let all: Vec<_> = (0..4).map(element).collect();
                    line!(shader, "{} = {};", to[j], zero(format!("vec4({})", all.join(", "))));
                }
                Access::Deep => {
                    (0..4).for_each(|c| line!(shader, "let q{c} = {};", element(c)));
                    for (to, x) in to.iter().zip(["x", "y", "z", "w"]) {
                        let turned = format!("vec4(q0.{x}, q1.{x}, q2.{x}, q3.{x})");
                        line!(shader, "{to} = {};", zero(turned));
                    }
                }
            }
            shader.push_line("}");
        }
    }
}
