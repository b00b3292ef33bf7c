//! Tiles of AMX: products of blocks of bfloat16 numbers, added up in `f32`.
//!
//! The standard library's functions for them are not stable yet, so that the instructions are written here.

use std::arch::asm;
use std::arch::x86_64::__cpuid_count;
use std::marker::PhantomData;
use std::sync::OnceLock;

/// Rows and columns of a tile of sums.
pub(crate) const TILE: usize = 16;
/// Rows and columns of a square of sums, of two by two tiles.
pub(crate) const SQUARE: usize = 2 * TILE;
/// How many numbers of a line, of each matrix, are multiplied by one instruction: pairs of them in 32 bits.
pub(crate) const DEEP: usize = 2 * TILE;
/// The parts of a number.
pub(crate) const PARTS: usize = 3;
/// The pairs in the tiles of one part.
pub(crate) const PART: usize = 2 * TILE * TILE;
/// The pairs in the tiles of all parts, of [`SQUARE`] lines and [`DEEP`] numbers of each.
pub(crate) const BLOCK: usize = PARTS * PART;

/// The sums of a square, row after row.
#[repr(C, align(64))]
pub(crate) struct Square(pub [f32; SQUARE * SQUARE]);

/// Whether this process may use the tiles.
pub(crate) fn is_usable() -> bool {
    static USABLE: OnceLock<bool> = OnceLock::new();
    *USABLE.get_or_init(|| {
        // AMX-BF16 is bit 22 of edx, AMX-TILE bit 24 (Intel's manual, volume 2A, CPUID).
        let wanted = 1 << 22 | 1 << 24;
        __cpuid_count(7, 0).edx & wanted == wanted && is_permitted()
    })
}

/// Asks the system to keep the tiles when threads take turns, which it does for those who ask.
#[cfg(target_os = "linux")]
fn is_permitted() -> bool {
    /// `arch_prctl`, to ask for a component of the processor's state, and the number of the tiles' one
    /// (Linux, Documentation/arch/x86/xstate.rst).
    const ARCH_PRCTL: i64 = 158;
    const ARCH_REQ_XCOMP_PERM: i64 = 0x1023;
    const XTILEDATA: i64 = 18;
    let result: i64;
    // SAFETY: the call touches no memory of the process; a kernel that does not know it returns an error.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") ARCH_PRCTL => result,
            in("rdi") ARCH_REQ_XCOMP_PERM,
            in("rsi") XTILEDATA,
            out("rcx") _,
            out("r11") _,
            options(nostack),
        );
    }
    result == 0
}

#[cfg(not(target_os = "linux"))]
fn is_permitted() -> bool {
    false
}

/// What the registers for tiles hold (Intel's manual, volume 1, section 18.3).
#[repr(C, align(64))]
struct Config {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    bytes_of_a_row: [u16; 16],
    rows: [u8; 16],
}

/// Eight registers of whole tiles, of this thread until it is dropped.
pub(crate) struct Tiles(PhantomData<*const ()>);

impl Tiles {
    /// # Safety
    /// [`is_usable`] must have said so, and no other `Tiles` may live on this thread.
    pub(crate) unsafe fn new() -> Self {
        const WHOLE: Config = Config {
            palette: 1,
            start_row: 0,
            reserved: [0; 14],
            bytes_of_a_row: [64, 64, 64, 64, 64, 64, 64, 64, 0, 0, 0, 0, 0, 0, 0, 0],
            rows: [16, 16, 16, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0],
        };
        // SAFETY: the processor has the instruction; the compiler never uses these registers.
        unsafe { asm!("ldtilecfg [{}]", in(reg) &WHOLE, options(nostack, readonly)) };
        Tiles(PhantomData)
    }

    /// Sums of zero, for the products that follow.
    #[inline]
    pub(crate) fn clear(&self) {
        // SAFETY: this thread's tiles are there, here and below; the compiler never uses these registers.
        unsafe {
            asm!(
                "tilezero tmm0",
                "tilezero tmm1",
                "tilezero tmm2",
                "tilezero tmm3",
                options(nostack, nomem),
            );
        }
    }

    /// The sums that are in a square.
    ///
    /// # Safety
    /// `from` must be good for it.
    #[inline]
    pub(crate) unsafe fn load(&self, from: *const Square) {
        // SAFETY: as above, and the caller's promise.
        unsafe {
            asm!(
                "tileloadd tmm0, [{from} + {row}]", "tileloadd tmm1, [{from} + {row} + 64]",
                "tileloadd tmm2, [{from} + {row} + 2048]", "tileloadd tmm3, [{from} + {row} + 2112]",
                from = in(reg) from,
                row = in(reg) SQUARE * size_of::<f32>(),
                options(nostack, readonly),
            );
        }
    }

    /// Stores the sums.
    ///
    /// # Safety
    /// `to` must be good for them.
    #[inline]
    pub(crate) unsafe fn store(&self, to: *mut Square) {
        // SAFETY: as above, and the caller's promise.
        unsafe {
            asm!(
                "tilestored [{to} + {row}], tmm0", "tilestored [{to} + {row} + 64], tmm1",
                "tilestored [{to} + {row} + 2048], tmm2", "tilestored [{to} + {row} + 2112], tmm3",
                to = in(reg) to,
                row = in(reg) SQUARE * size_of::<f32>(),
                options(nostack),
            );
        }
    }

    /// Adds the products of `blocks` blocks of both matrices to the sums: of the nine products of parts, numbered from
    /// zero, those whose numbers add up to less than three. The others are too small to matter.
    ///
    /// # Safety
    /// `a` and `b` must be good for as many times [`BLOCK`] pairs, and there must be a block.
    #[inline]
    pub(crate) unsafe fn multiply(&self, a: *const u32, b: *const u32, blocks: usize) {
        /// Four products: of two tiles of `a` and two of `b`.
        macro_rules! square {
            () => {
                "tdpbf16ps tmm0, tmm4, tmm6
                tdpbf16ps tmm1, tmm4, tmm7
                tdpbf16ps tmm2, tmm5, tmm6
                tdpbf16ps tmm3, tmm5, tmm7"
            };
        }
        /// The two tiles of a part of `a`.
        macro_rules! left {
            ($part:literal) => {
                concat!(
                    "tileloadd tmm4, [{a} + {row} + 2048 * ",
                    $part,
                    "]
                    tileloadd tmm5, [{a} + {row} + 2048 * ",
                    $part,
                    " + 1024]"
                )
            };
        }
        /// The two tiles of a part of `b`.
        macro_rules! right {
            ($part:literal) => {
                concat!(
                    "tileloadd tmm6, [{b} + {row} + 2048 * ",
                    $part,
                    "]
                    tileloadd tmm7, [{b} + {row} + 2048 * ",
                    $part,
                    " + 1024]"
                )
            };
        }
        /// Begins to bring a tile of the next block of each matrix into the first cache.
        macro_rules! next {
            ($tile:literal) => {
                concat!(
                    ".irp line, 0, 64, 128, 192, 256, 320, 384, 448, 512, 576, 640, 704, 768, 832, 896, 960
                    prefetcht0 [{a} + 6144 + 1024 * ",
                    $tile,
                    " + \\line]
                    prefetcht0 [{b} + 6144 + 1024 * ",
                    $tile,
                    " + \\line]
                    .endr"
                )
            };
        }
        const { assert!(PART * size_of::<u32>() == 2048 && BLOCK * size_of::<u32>() == 6144) };
        // SAFETY: as above; what is read is the caller's promise.
        unsafe {
            asm!(
                "2:",
                left!(0),
                right!(2), square!(), next!(0), // 0 2
                right!(1), square!(), next!(1), // 0 1
                right!(0), square!(), next!(2), // 0 0
                left!(1),
                square!(), next!(3), // 1 0
                right!(1), square!(), next!(4), // 1 1
                left!(2),
                right!(0), square!(), next!(5), // 2 0
                "add {a}, 6144",
                "add {b}, 6144",
                "dec {blocks}",
                "jnz 2b",
                a = inout(reg) a => _,
                b = inout(reg) b => _,
                blocks = inout(reg) blocks => _,
                row = in(reg) 64_usize,
                options(nostack, readonly),
            );
        }
    }
}

impl Drop for Tiles {
    fn drop(&mut self) {
        // SAFETY: the processor has the instruction. Without it, every change of threads would save the tiles.
        unsafe { asm!("tilerelease", options(nostack, nomem)) };
    }
}
