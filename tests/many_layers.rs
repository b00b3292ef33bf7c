//! Networks of 200 layers with weights compile and train in a crate without a `recursion_limit` of its own.

use netform::prelude::*;

/// A network whose layers are all of one kind, a ReLU after each.
macro_rules! chain {
    ($(#[$doc:meta])* $net:ident: $from:tt -> $to:tt = $kind:tt $arguments:tt; $($layer:ident)+) => {
        network! {
            $(#[$doc])*
            pub $net: $from -> $to { $($layer: $kind $arguments, Relu,)+ }
        }
    };
}

chain! {
    /// 200 fully connected layers.
    Wide: [4] -> [4] = Linear (4);
    fc0 fc1 fc2 fc3 fc4 fc5 fc6 fc7 fc8 fc9
    fc10 fc11 fc12 fc13 fc14 fc15 fc16 fc17 fc18 fc19
    fc20 fc21 fc22 fc23 fc24 fc25 fc26 fc27 fc28 fc29
    fc30 fc31 fc32 fc33 fc34 fc35 fc36 fc37 fc38 fc39
    fc40 fc41 fc42 fc43 fc44 fc45 fc46 fc47 fc48 fc49
    fc50 fc51 fc52 fc53 fc54 fc55 fc56 fc57 fc58 fc59
    fc60 fc61 fc62 fc63 fc64 fc65 fc66 fc67 fc68 fc69
    fc70 fc71 fc72 fc73 fc74 fc75 fc76 fc77 fc78 fc79
    fc80 fc81 fc82 fc83 fc84 fc85 fc86 fc87 fc88 fc89
    fc90 fc91 fc92 fc93 fc94 fc95 fc96 fc97 fc98 fc99
    fc100 fc101 fc102 fc103 fc104 fc105 fc106 fc107 fc108 fc109
    fc110 fc111 fc112 fc113 fc114 fc115 fc116 fc117 fc118 fc119
    fc120 fc121 fc122 fc123 fc124 fc125 fc126 fc127 fc128 fc129
    fc130 fc131 fc132 fc133 fc134 fc135 fc136 fc137 fc138 fc139
    fc140 fc141 fc142 fc143 fc144 fc145 fc146 fc147 fc148 fc149
    fc150 fc151 fc152 fc153 fc154 fc155 fc156 fc157 fc158 fc159
    fc160 fc161 fc162 fc163 fc164 fc165 fc166 fc167 fc168 fc169
    fc170 fc171 fc172 fc173 fc174 fc175 fc176 fc177 fc178 fc179
    fc180 fc181 fc182 fc183 fc184 fc185 fc186 fc187 fc188 fc189
    fc190 fc191 fc192 fc193 fc194 fc195 fc196 fc197 fc198 fc199
}

chain! {
    /// 200 convolutions.
    Deep: [2, 3, 3] -> [2, 3, 3] = Conv2d (2, kernel = 3, padding = 1);
    conv0 conv1 conv2 conv3 conv4 conv5 conv6 conv7 conv8 conv9
    conv10 conv11 conv12 conv13 conv14 conv15 conv16 conv17 conv18 conv19
    conv20 conv21 conv22 conv23 conv24 conv25 conv26 conv27 conv28 conv29
    conv30 conv31 conv32 conv33 conv34 conv35 conv36 conv37 conv38 conv39
    conv40 conv41 conv42 conv43 conv44 conv45 conv46 conv47 conv48 conv49
    conv50 conv51 conv52 conv53 conv54 conv55 conv56 conv57 conv58 conv59
    conv60 conv61 conv62 conv63 conv64 conv65 conv66 conv67 conv68 conv69
    conv70 conv71 conv72 conv73 conv74 conv75 conv76 conv77 conv78 conv79
    conv80 conv81 conv82 conv83 conv84 conv85 conv86 conv87 conv88 conv89
    conv90 conv91 conv92 conv93 conv94 conv95 conv96 conv97 conv98 conv99
    conv100 conv101 conv102 conv103 conv104 conv105 conv106 conv107 conv108 conv109
    conv110 conv111 conv112 conv113 conv114 conv115 conv116 conv117 conv118 conv119
    conv120 conv121 conv122 conv123 conv124 conv125 conv126 conv127 conv128 conv129
    conv130 conv131 conv132 conv133 conv134 conv135 conv136 conv137 conv138 conv139
    conv140 conv141 conv142 conv143 conv144 conv145 conv146 conv147 conv148 conv149
    conv150 conv151 conv152 conv153 conv154 conv155 conv156 conv157 conv158 conv159
    conv160 conv161 conv162 conv163 conv164 conv165 conv166 conv167 conv168 conv169
    conv170 conv171 conv172 conv173 conv174 conv175 conv176 conv177 conv178 conv179
    conv180 conv181 conv182 conv183 conv184 conv185 conv186 conv187 conv188 conv189
    conv190 conv191 conv192 conv193 conv194 conv195 conv196 conv197 conv198 conv199
}

/// The loss of a training step, whose layers are as many as they are declared.
macro_rules! loss {
    ($net:ident, $shape:ty, $len:literal) => {{
        assert_eq!(<$net>::LAYERS.iter().filter(|layer| layer.params > 0).count(), 200);
        assert_eq!(<$net>::PARAMS.len(), 400);
        let (inputs, targets) = (vec![0.5; 2 * $len], vec![0.25; 2 * $len]);
        let data = InMemory::<$shape, $shape, f32, f32>::new(inputs, targets).unwrap();
        let mut trainer = Trainer::new(Mse, Sgd::new(1e-3)).epochs(1).batch(2);
        let history = trainer.fit(&mut $net::new(Seed(1)), &data).unwrap();
        history.last().map(|epoch| epoch.train_loss).unwrap()
    }};
}

#[test]
fn two_hundred_layers_train() {
    assert!(loss!(Wide, (D<4>,), 4).is_finite());
    assert!(loss!(Deep, (D<2>, D<3>, D<3>), 18).is_finite());
}
