//! All optimisers, with all rules around them, on Vulkan give the weights that they give on the CPU.

extern crate netform_core as netform;

mod common;

use common::{close, numbers, vulkan};
use netform_core::cpu::Cpu;
use netform_core::data::InMemory;
use netform_core::dim::D;
use netform_core::loss::CrossEntropy;
use netform_core::module::Module;
use netform_core::optim::{Adagrad, AdamW, Optimizer, RmsProp, Sgd};
use netform_core::random::Seed;
use netform_core::schedule::Warmup;
use netform_core::train::Trainer;
use netform_core::update::Rules;
use netform_macros::network;

network! {
    Normed: [6] -> [3] { fc1: Linear(16, bias = false), norm: BatchNorm1d, Relu, fc2: Linear(8), Relu, fc3: Linear(3) }
}

fn rules() -> Rules {
    Rules::new()
        .accumulate(2)
        .clip_norm(0.5)
        .clip_value(0.1)
        .freeze("fc2")
        .rate_factor("fc3", 0.5)
        .schedule(Warmup::new(4).start(0.5))
        .average(0.5)
}

/// Parameters and running statistics after two epochs.
fn trained<Dev, O>(device: &Dev, optimizer: O, rules: Rules) -> Vec<f32>
where
    Dev: netform::device::Device<f32>,
    O: Optimizer,
{
    let inputs = numbers(27 * 6, 50);
    let labels = inputs.chunks(6).map(|x| u32::from(x[0] > 0.0) + u32::from(x[1] > 0.3)).collect();
    let data = InMemory::<(D<6>,)>::new(inputs, labels).unwrap();
    let mut net = Normed::<f32, _>::on(device.clone(), Seed(3)).unwrap();
    let mut trainer = Trainer::new(CrossEntropy, optimizer).batch(5).epochs(2).rules(rules);
    trainer.fit(&mut net, &data).unwrap();
    let store = net.store();
    let mut params = vec![0.0; Normed::<f32, Dev>::PARAM_LEN];
    let mut state = vec![0.0; Normed::<f32, Dev>::STATE_LEN];
    device.read(&store.params, 0, &mut params).unwrap();
    device.read(&store.state, 0, &mut state).unwrap();
    params.extend(state);
    params
}

#[test]
fn rules_give_what_they_give_on_the_cpu() {
    let Some(vulkan) = vulkan("rules_give_what_they_give_on_the_cpu") else { return };
    macro_rules! same {
        ($($optimizer:expr),*) => { $(
            for rules in [Rules::new(), rules()] {
                let expected = trained(&Cpu::default(), $optimizer, rules.clone());
                let found = trained(&vulkan, $optimizer, rules);
                close(&found, &expected, 1.0, 1e-3, stringify!($optimizer));
            }
        )* };
    }
    same!(
        Sgd::new(0.05).momentum(0.9).weight_decay(0.1),
        AdamW::new(0.01),
        Adagrad::new(0.02).weight_decay(0.1),
        RmsProp::new(0.01),
        RmsProp::new(0.01).momentum(0.5).weight_decay(0.1),
        RmsProp::new(0.01).centered(true).momentum(0.5).weight_decay(0.1)
    );
}
