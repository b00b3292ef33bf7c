//! Elements of a buffer in the text of a kernel: one array, or several windows that functions choose from.

use std::fmt::Write;

/// What a kernel takes the elements of a binding for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Float,
    Integer,
    /// Four at once.
    Floats,
    Integers,
}

impl Form {
    pub fn text(self) -> &'static str {
        match self {
            Form::Float => "f32",
            Form::Integer => "u32",
            Form::Floats => "vec4<f32>",
            Form::Integers => "vec4<u32>",
        }
    }

    /// Elements at once.
    pub fn width(self) -> usize {
        match self {
            Form::Float | Form::Integer => 1,
            Form::Floats | Form::Integers => 4,
        }
    }
}

/// Elements of a buffer: how they are accessed, and where they begin.
#[derive(Clone)]
pub(crate) struct Place {
    /// The binding; the first one where there are several.
    pub(super) name: String,
    pub offset: String,
    /// Whether there are several.
    pub(super) divided: bool,
}

impl Place {
    fn index(&self, index: &str) -> String {
        format!("{} + {index}", self.offset)
    }

    /// The element at `index`.
    pub fn at(&self, index: &str) -> String {
        self.at_all(&self.index(index))
    }

    /// The element at `index`, of which the offset is a part already.
    pub fn at_all(&self, index: &str) -> String {
        match self.divided {
            false => format!("{}[{index}]", self.name),
            true => format!("load_{}({index})", self.name),
        }
    }

    /// The statement that makes `value` the element at `index`.
    pub fn set(&self, index: &str, value: &str) -> String {
        match self.divided {
            false => format!("{} = {value};", self.at(index)),
            true => format!("store_{}({}, {value});", self.name, self.index(index)),
        }
    }
}

/// Windows side by side.
pub(super) struct Divided {
    pub name: String,
    /// The numbers of their bindings.
    pub bindings: Vec<usize>,
    pub form: Form,
    /// The elements of each but the last, in terms of the form.
    pub window: usize,
    pub write: bool,
}

impl Divided {
    /// The functions that load and store.
    pub fn text(&self) -> String {
        let (name, form) = (&self.name, self.form.text());
        let access = |text: &mut String, access: &dyn Fn(String) -> String| {
            for (n, binding) in self.bindings.iter().enumerate() {
                let first = n * self.window;
                let index = if n == 0 { "i".to_owned() } else { format!("i - {first}u") };
                let inner = access(format!("b{binding}[{index}]"));
                let _ = match n + 1 < self.bindings.len() {
                    true => writeln!(text, "if (i < {}u) {{ {inner} }}", first + self.window),
                    false => writeln!(text, "{inner}"),
                };
            }
        };
        let mut text = format!("fn load_{name}(i: u32) -> {form} {{\n");
        access(&mut text, &|element| format!("return {element};"));
        text.push_str("}\n");
        if self.write {
            let _ = writeln!(text, "fn store_{name}(i: u32, x: {form}) {{");
            access(&mut text, &|element| format!("{element} = x; return;"));
            text.push_str("}\n");
        }
        text
    }
}
