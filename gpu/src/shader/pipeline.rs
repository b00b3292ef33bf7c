//! Compiled kernels, each text once.

use std::collections::HashMap;
use std::sync::Arc;

use netform_core::error::{Error, Result};
use vulkano::descriptor_set::layout::{
    DescriptorSetLayout, DescriptorSetLayoutBinding, DescriptorSetLayoutCreateInfo, DescriptorType,
};
use vulkano::pipeline::compute::ComputePipelineCreateInfo;
use vulkano::pipeline::layout::{PipelineLayoutCreateInfo, PushConstantRange};
use vulkano::pipeline::{ComputePipeline, PipelineLayout, PipelineShaderStageCreateInfo};
use vulkano::shader::{ShaderModule, ShaderModuleCreateInfo, ShaderStages};

use super::Dispatch;
use super::compile::compile;
use crate::context::{Context, lock, why};

/// The most bindings of a kernel, where a device gives it more: each is a branch at every access to its tensor.
const MOST_BINDINGS: u32 = 256;

/// A compiled kernel.
pub(crate) struct Pipeline {
    pub pipeline: Arc<ComputePipeline>,
    pub layout: Arc<PipelineLayout>,
    /// Of its bindings.
    pub set: Arc<DescriptorSetLayout>,
}

/// Compiled kernels by their text.
#[derive(Default)]
pub(crate) struct Pipelines {
    all: HashMap<String, Arc<Pipeline>>,
}

impl Context {
    /// The kernel of a dispatch, compiled if it is new.
    pub fn pipeline(&self, dispatch: &Dispatch) -> Result<Arc<Pipeline>> {
        if let Some(known) = lock(&self.pipelines).all.get(&dispatch.text) {
            return Ok(known.clone());
        }
        let pipeline = Arc::new(self.build(dispatch)?);
        lock(&self.pipelines).all.insert(dispatch.text.clone(), pipeline.clone());
        Ok(pipeline)
    }

    /// The error of a kernel with too many bindings: because of its inputs and outputs, or because of their size.
    fn too_many(&self, dispatch: &Dispatch, count: u32, most: u32) -> Error {
        let regions = dispatch.reads.iter().chain(&dispatch.writes);
        let bytes = 4 * regions.map(|region| region.len).max().unwrap_or_default();
        let seen = 4 * self.windows.range;
        self.error(match bytes > seen {
            true => format!(
                "a kernel needs {count} bindings and the device gives it at most {most}: its largest tensor has {bytes} bytes, of which a binding spans at most {seen}; a smaller batch, several smaller tensors or another device help"
            ),
            false => format!(
                "a kernel of this network has {count} buffers, and this device's have at most {most}: fewer inputs and outputs, or another device, help"
            ),
        })
    }

    /// How many kernels have been compiled.
    pub fn compiled(&self) -> usize {
        lock(&self.pipelines).all.len()
    }

    /// Layouts by hand: reflection would leave out what a kernel does not use, and does not know all of SPIR-V.
    fn build(&self, dispatch: &Dispatch) -> Result<Pipeline> {
        let fail = |e: &dyn std::fmt::Display| {
            self.error(format!(
                "a kernel cannot be compiled, which is a mistake in netform: {e}\n{}",
                dispatch.text
            ))
        };
        let count = u32::try_from(dispatch.bindings.len()).unwrap_or(u32::MAX);
        let most = self.device.physical_device().properties();
        let most = most.max_per_stage_descriptor_storage_buffers.min(MOST_BINDINGS);
        if count > most {
            return Err(self.too_many(dispatch, count, most));
        }
        let words = compile(&dispatch.text).map_err(|e| fail(&e))?;
        // SAFETY: naga has written the module from valid WGSL.
        let module =
            unsafe { ShaderModule::new(self.device.clone(), ShaderModuleCreateInfo::new(&words)) };
        let module = module.map_err(|e| fail(&why(&e)))?;
        let entry = module.entry_point("main").ok_or_else(|| fail(&"it has no entry point"))?;
        let binding = DescriptorSetLayoutBinding {
            stages: ShaderStages::COMPUTE,
            ..DescriptorSetLayoutBinding::descriptor_type(DescriptorType::StorageBuffer)
        };
        let create = DescriptorSetLayoutCreateInfo {
            bindings: (0..count).map(|i| (i, binding.clone())).collect(),
            ..DescriptorSetLayoutCreateInfo::default()
        };
        let set =
            DescriptorSetLayout::new(self.device.clone(), create).map_err(|e| fail(&why(&e)))?;
        let push = PushConstantRange {
            stages: ShaderStages::COMPUTE,
            offset: 0,
            size: size_of_val(&dispatch.words) as u32,
        };
        let create = PipelineLayoutCreateInfo {
            set_layouts: vec![set.clone()],
            push_constant_ranges: vec![push],
            ..PipelineLayoutCreateInfo::default()
        };
        let layout =
            PipelineLayout::new(self.device.clone(), create).map_err(|e| fail(&why(&e)))?;
        let stage = PipelineShaderStageCreateInfo {
            required_subgroup_size: dispatch.subgroup,
            ..PipelineShaderStageCreateInfo::new(entry)
        };
        let create = ComputePipelineCreateInfo::stage_layout(stage, layout.clone());
        let pipeline =
            ComputePipeline::new(self.device.clone(), Some(self.cache.vulkan.clone()), create)
                .map_err(|e| fail(&why(&e)))?;
        self.cache.added();
        Ok(Pipeline { pipeline, layout, set })
    }
}
