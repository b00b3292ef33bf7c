//! Folders of images: what is read from good ones, and what is said of bad ones.

#![cfg(feature = "images")]

extern crate netform_core as netform;

mod common;

use std::fs;
use std::io::Cursor;

use common::{Folder, memory, says, survives};
use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgb, RgbImage};
use netform_core::data::{Dataset, ImageFolder, images};
use netform_core::dim::D;
use netform_core::error::Error;
use netform_core::random::Seed;

type Small = (D<3>, D<4>, D<6>);

fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// An image of one colour.
fn plain(width: u32, height: u32, colour: [u8; 3]) -> RgbImage {
    RgbImage::from_pixel(width, height, Rgb(colour))
}

#[test]
fn pixels_are_planes_of_numbers_from_0_to_1() {
    let folder = Folder::new("images-pixels");
    let image = RgbImage::from_fn(6, 4, |x, y| Rgb([10 * x as u8, 20 * y as u8, 255]));
    let path = folder.file("a.png", encoded(image, ImageFormat::Png));
    let found = images::read::<Small, f32>(&path).unwrap().to_vec();
    for (i, &x) in found.iter().enumerate() {
        let expected = [10 * (i % 6), 20 * (i / 6 % 4), 255][i / 24];
        assert_eq!(x, expected as f32 / 255.0);
    }
    let grey = GrayImage::from_fn(3, 2, |x, y| Luma([(100 * y + x) as u8]));
    let path = folder.file("grey.png", encoded(grey, ImageFormat::Png));
    let found = images::read::<(D<1>, D<2>, D<3>), f64>(&path).unwrap().to_vec();
    assert_eq!(found, [0.0, 1.0, 2.0, 100.0, 101.0, 102.0].map(|x| x / 255.0));
    let coloured = images::read::<(D<3>, D<2>, D<3>), f64>(&path).unwrap().to_vec();
    assert_eq!(coloured, [&found[..], &found[..], &found[..]].concat());
}

#[test]
fn images_are_resized() {
    let folder = Folder::new("images-resized");
    let read = |width, height, format| {
        // The left half is black, the right half white.
        let half =
            RgbImage::from_fn(width, height, |x, _| Rgb([if x < width / 2 { 0 } else { 255 }; 3]));
        let path = folder.file("a.jpg", encoded(half, format));
        images::read::<Small, f32>(&path).unwrap().to_vec()
    };
    for (width, height) in [(12, 8), (60, 4), (3000, 900), (2, 2)] {
        for format in [ImageFormat::Png, ImageFormat::Jpeg] {
            let found = read(width, height, format);
            for row in found.chunks(6) {
                assert!(row[0] < 0.05 && row[5] > 0.95, "{width}x{height}: {row:?}");
                assert!(row.windows(2).all(|x| x[0] <= x[1] + 0.02), "{row:?}");
            }
        }
    }
}

#[test]
fn folders_are_classes() {
    let folder = Folder::new("images-classes");
    for (class, colour) in [("rose", [255, 0, 0]), ("iris", [0, 0, 255])] {
        let class = folder.0.join(class);
        fs::create_dir_all(class.join("more")).unwrap();
        let png = encoded(plain(8, 8, colour), ImageFormat::Png);
        fs::write(class.join("1.png"), &png).unwrap();
        fs::write(class.join("more/2.PNG"), &png).unwrap();
        fs::write(class.join("3.jpg"), encoded(plain(5, 9, colour), ImageFormat::Jpeg)).unwrap();
        fs::write(class.join("notes.txt"), "no image").unwrap();
    }
    fs::write(folder.0.join("readme.txt"), "no class").unwrap();
    let flowers: ImageFolder<Small> = ImageFolder::open(&folder.0).unwrap();
    assert_eq!(flowers.class_names(), ["iris", "rose"]);
    assert_eq!(flowers.len(), 6);
    let all = flowers.to_memory().unwrap();
    assert_eq!(all.targets(), [0, 0, 0, 1, 1, 1]);
    assert_eq!(all.class_names(), ["iris", "rose"]);
    for (image, &class) in all.inputs().chunks(72).zip(all.targets()) {
        let (red, blue) = (&image[..24], &image[48..]);
        let (one, zero) = if class == 1 { (red, blue) } else { (blue, red) };
        assert!(one.iter().all(|&x| x > 0.98) && zero.iter().all(|&x| x < 0.02));
    }
    // Split, decoded on a thread, and the same.
    let (train, _) = flowers.stratified_split(0.7, Seed(1)).unwrap();
    let ahead = train.clone().cloned().prefetch(1).unwrap();
    let batches = ahead.batches_in_order(3).map(|batch| batch.unwrap().inputs.to_vec());
    assert_eq!(batches.collect::<Vec<_>>().concat(), train.to_memory().unwrap().inputs());
}

#[test]
fn folders_and_images_that_are_wrong() {
    let folder = Folder::new("images-wrong");
    let open = || ImageFolder::<Small>::open(&folder.0);
    says(open(), &["images-wrong: folder: ", "no folders, expected one for each class"]);
    fs::create_dir(folder.0.join("rose")).unwrap();
    says(open(), &["rose: folder: ", "no files that end in .png, .jpg, .jpeg"]);
    assert!(matches!(ImageFolder::<Small>::open("none"), Err(Error::Io { .. })));

    let png = encoded(plain(8, 8, [1, 2, 3]), ImageFormat::Png);
    let jpeg = encoded(plain(8, 8, [1, 2, 3]), ImageFormat::Jpeg);
    let rose = |name: &str, bytes: &[u8]| {
        folder.file(&format!("rose/{name}"), bytes);
        open().unwrap().to_memory()
    };
    says(rose("a.png", b"GIF89a"), &["a.png: image: ", "neither PNG nor JPEG", "remove it"]);
    says(rose("a.png", b""), &["neither PNG nor JPEG"]);
    says(rose("a.png", &png[..png.len() / 2]), &["a.png: image: not a whole image"]);
    says(rose("a.png", &jpeg[..jpeg.len() / 2]), &["a.png: image: not a whole image"]);
    // A header may claim what it likes.
    let mut large = png.clone();
    large[16..24].copy_from_slice(&[0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff]);
    let crc = flate2::Crc::new();
    let crc = {
        let mut crc = crc;
        crc.update(&large[12..29]);
        crc.sum()
    };
    large[29..33].copy_from_slice(&crc.to_be_bytes());
    let (outcome, most) = memory(|| rose("a.png", &large));
    says(outcome, &["65535 x 65535 pixels", "can hold"]);
    assert!(most < 1 << 22, "{most} bytes");
    assert!(rose("a.png", &png).is_ok());
    // A file that is gone when it is wanted.
    let flowers = open().unwrap();
    fs::remove_file(folder.0.join("rose/a.png")).unwrap();
    let batch = flowers.batches_in_order(1).next().unwrap();
    assert!(matches!(batch, Err(Error::Io { .. })));
}

#[test]
fn random_damage_to_images() {
    let folder = Folder::new("images-random");
    let image = RgbImage::from_fn(9, 7, |x, y| Rgb([20 * x as u8, 30 * y as u8, (x * y) as u8]));
    for format in [ImageFormat::Png, ImageFormat::Jpeg] {
        let good = encoded(image.clone(), format);
        survives(&good, 500, |bytes| images::read::<Small, f32>(folder.file("a.image", bytes)));
    }
}
