//! Names that printed code has too: a network, a function, a size, a layer, a value, an input or a setting of
//! any such name works.

use netform::prelude::{Batch, D, InMemory, Len, Module, Seed, Sgd, Tensor, Trainer};

/// A network and sizes of a name that printed code has for types.
macro_rules! types {
    ($($name:ident $module:ident $plain:ident,)*) => {$(
        mod $module {
            netform::network! {
                pub $name: [4] -> [3] { fc: Linear(3) }

                pub Around: [4] -> [2] { inner: $name, fc: Linear(2) }
            }
        }

        mod $plain {
            netform::network! {
                pub Sized<$name>: [$name, 4] -> [$name, 3] { fc: Linear(3) }

                pub Wide<$name>: [$name] -> [2 * $name] { fc: Linear(2 * $name) }

                pub fn energy<$name>(x: [$name]) -> [] { sum(square(x)) }

                pub fn doubled<$name>(x: [$name]) -> [2 * $name] { concat(x, x) }
            }
        }

        #[test]
        fn $module() -> netform::Result<()> {
            let mut net = $module::$name::new(Seed(1));
            let x = Tensor::<(Batch, D<4>)>::from_vec(vec![0.5; 8])?;
            assert_eq!(net.forward(&x)?.batch(), 2);
            let weight: Tensor<(D<3>, D<4>)> = net.fc().weight()?;
            assert_eq!(weight.to_vec().len(), 12);
            let data = InMemory::<(D<4>,)>::new(vec![0.5; 8], vec![0, 2])?;
            let loss = netform::loss::CrossEntropy;
            Trainer::new(loss, Sgd::new(0.1)).epochs(1).batch(2).fit(&mut net, &data)?;
            assert_eq!($module::Around::<f64>::on(Default::default(), Seed(1))?.summary().params, 23);

            let rows = Tensor::<(Batch, Len, D<4>)>::zeros_on(Default::default(), (Batch(2), Len(5), D))?;
            assert_eq!($plain::Sized::<Len>::new(Seed(1)).forward(&rows)?.to_vec().len(), 30);
            let wide: Tensor<(Batch, D<8>)> = $plain::Wide::<D<4>>::new(Seed(1)).forward(&x)?;
            assert_eq!(wide.batch(), 2);
            let x = netform::tensor!([3.0, 4.0]);
            assert_eq!($plain::energy(&x).item(), 25.0);
            assert_eq!($plain::energy::gradient(&x).to_vec(), [6.0, 8.0]);
            assert_eq!($plain::energy::hessian(&x).to_vec(), [2.0, 0.0, 0.0, 2.0]);
            assert_eq!($plain::doubled(&x).to_vec().len(), 4);
            Ok(())
        }
    )*};
}

types! {
    A a a_, B b b_, C c c_, D d d_, E e e_, F f f_, I i i_, K k k_, M m m_, N n n_, O o o_, R r r_, S s s_,
    T t t_, W w w_, X x x_, Y y y_, N0 n0 n0_, X0 x0 x0_, V0 v0 v0_, S0 s0 s0_, T0 t0 t0_,
}

/// Networks of a name that printed code has for types, but no size has.
macro_rules! networks {
    ($($name:ident $module:ident,)*) => {$(
        mod $module {
            netform::network! {
                pub $name<N>: [N, 4] -> [N, 3] { fc: Linear(3) }
            }
        }

        #[test]
        fn $module() -> netform::Result<()> {
            let rows = Tensor::<(Batch, Len, D<4>)>::zeros_on(Default::default(), (Batch(2), Len(5), D))?;
            assert_eq!($module::$name::<Len>::new(Seed(1)).forward(&rows)?.to_vec().len(), 30);
            Ok(())
        }
    )*};
}

networks! {
    Dev device_name, Elem elem_name, Given0 given_name, Output0 output_name, Size0 size_name, Rows0 rows_name,
    Batch batch_name, Len len_name, Dim dim_name, Float float_name, Device device_trait_name, Module module_name,
    Ok ok_name, Some some_name, Vec vec_name, Result result_name, Default default_name, Copy copy_name,
    MoreThan more_than_name, EqualTo equal_to_name, AtLeast at_least_name, N n_of_its_own_size,
}

/// Networks of the names that the conditions on their own sizes have.
mod of_conditions {
    netform::network! {
        pub DivisibleBy<T, D, H>: [T, D] -> [T, H, D / H] { Reshape([T, H, D / H]) }

        pub MoreThan<T, D>: [T, D] -> [T, D - 1] { Conv1d(T, kernel = 2) }
    }
}

#[test]
fn networks_of_the_names_of_conditions() -> netform::Result<()> {
    let rows = Tensor::<(Batch, D<2>, D<6>)>::zeros_on(Default::default(), (Batch(2), D, D))?;
    let heads: Tensor<(Batch, D<2>, D<3>, D<2>)> =
        of_conditions::DivisibleBy::<D<2>, D<6>, D<3>>::new(Seed(1)).forward(&rows)?;
    assert_eq!(heads.batch(), 2);
    let fewer: Tensor<(Batch, D<2>, D<5>)> =
        of_conditions::MoreThan::<D<2>, D<6>>::new(Seed(1)).forward(&rows)?;
    assert_eq!(fewer.batch(), 2);
    Ok(())
}

/// A layer, a value, an input and a setting of a name that printed code has for values.
macro_rules! values {
    ($($name:ident)*) => {$(
        mod $name {
            netform::network! {
                pub Layer: [4] -> [3] { $name: Linear(3) }

                pub Nested: [4] -> [3] { outer: Layer, $name: Linear(3) }

                pub Value: (x: [4]) -> [3] { let fc = Linear(3); let $name = fc(x); relu($name) }

                pub Input: ($name: [4], other: [3]) -> [3] { let fc = Linear(3); fc($name) + other }

                pub Setting($name: f32): [4] -> [3] { fc: Linear(3), Dropout($name) }

                pub fn distance($name: [3], other: [3]) -> [] { mean(square($name - other)) }

                pub fn scaled(left: [3], right: [3], $name: f32) -> [] { $name * mean(square(left - right)) }

                pub fn squared($name: [3]) -> [3] { $name * $name }
            }
        }

        #[test]
        fn $name() -> netform::Result<()> {
            let x = Tensor::<(Batch, D<4>)>::from_vec(vec![0.5; 8])?;
            let y = Tensor::<(Batch, D<3>)>::from_vec(vec![0.5; 6])?;
            let net = $name::Layer::new(Seed(1));
            assert_eq!(net.$name().weight()?.to_vec().len(), 12);
            assert_eq!(net.forward(&x)?.to_vec().len(), 6);
            assert_eq!($name::Nested::new(Seed(1)).outer().$name().weight()?.to_vec().len(), 12);
            assert_eq!($name::Value::new(Seed(1)).forward(&x)?.to_vec().len(), 6);
            assert_eq!($name::Input::new(Seed(1)).forward(&x, &y)?.to_vec().len(), 6);
            let mut net = $name::Setting::new(Seed(1), 0.25);
            assert_eq!(net.setting(stringify!($name))?, 0.25);
            net.set(stringify!($name), 0.5)?;
            let net = $name::Setting::<f64>::on(Default::default(), Seed(1), 0.75)?;
            assert_eq!(net.setting(stringify!($name))?, 0.75);
            let a = netform::tensor!([1.0, 2.0, 3.0]);
            assert_eq!($name::distance(&a, &a).item(), 0.0);
            assert_eq!($name::distance::gradient(&a, &a).0.to_vec(), [0.0; 3]);
            assert_eq!($name::squared(&a).to_vec(), [1.0, 4.0, 9.0]);
            assert_eq!($name::squared::jacobian(&a).to_vec().len(), 9);
            assert_eq!($name::scaled { $name: 2.0 }.$name, 2.0);
            Ok(())
        }
    )*};
}

mod as_values {
    use super::*;

    values! {
        b e k i x y seed device bytes net error value sizes settings targets gradient mode spans inputs outputs
        output first indices rows0 map0 a0 c0 p0 i0 x0 base weight bias given dy
    }
}
