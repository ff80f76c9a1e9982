// Convolutions by oneDNN 2 or 3, of (batch, channels, rows, columns) arrays.
//
// oneDNN computes in layouts of its own. Arrays are brought into them and back
// a few images at a time, so that these copies stay small; the filters once
// per call. Primitives are kept for the next call with the same shapes. What
// is kept belongs to a thread, so that threads need no lock.
#include <dnnl.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include <stdlib.h>
#include <sys/mman.h>

using dnnl::algorithm;
using dnnl::memory;
using dnnl::prop_kind;
using tag = memory::format_tag;
using desc = memory::desc;

namespace {

// Bytes of input and output that are worked on at a time.
const int64_t chunk_bytes = 16 << 20;

dnnl::engine& cpu() {
    static dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    return engine;
}

thread_local std::string message;

// Memory that grows when needed and is used again; huge pages, since filling
// in small ones takes as long as some convolutions.
class Buffer {
public:
    ~Buffer() { free(start_); }
    void* reserve(size_t size) {
        if (size > size_) {
            const size_t page = 2 << 20;
            free(start_);
            start_ = nullptr;
            size_ = (size + page - 1) / page * page;
            if (posix_memalign(&start_, page, size_)) {
                size_ = 0;
                throw std::bad_alloc();
            }
            madvise(start_, size_, MADV_HUGEPAGE);
        }
        return start_;
    }

private:
    void* start_ = nullptr;
    size_t size_ = 0;
};

int64_t size(const memory::dims& dims) {
    int64_t product = 1;
    for (auto dim : dims) product *= dim;
    return product;
}

enum { source, filters, target, scratch, num_buffers };
thread_local Buffer buffers[num_buffers];

enum Kind : int64_t { forward, grad_inputs, grad_filters };

// Of one convolution; the first images of a batch may be asked for alone.
struct Shape {
    int64_t kind, batch, channels, filters, rows, columns, filter_rows,
        filter_columns, row_padding, column_padding, row_stride, column_stride,
        has_bias, rectify, winograd, bfloat16;

    int64_t output(int64_t size, int64_t filter, int64_t padding,
                   int64_t stride) const {
        return (size + 2 * padding - filter) / stride + 1;
    }
    memory::dims source_dims() const {
        return {batch, channels, rows, columns};
    }
    memory::dims filter_dims() const {
        return {filters, channels, filter_rows, filter_columns};
    }
    memory::dims target_dims() const {
        return {batch, filters,
                output(rows, filter_rows, row_padding, row_stride),
                output(columns, filter_columns, column_padding, column_stride)};
    }
    // Winograd's algorithm F(4x4, 3x3): a quarter of the products.
    bool fits_winograd() const {
        return winograd && filter_rows == 3 && filter_columns == 3 &&
               row_stride == 1 && column_stride == 1 && row_padding <= 1 &&
               column_padding <= 1 && channels >= 16 && filters >= 16;
    }
    // Any order will do for a map.
    bool operator<(const Shape& other) const {
        return std::memcmp(this, &other, sizeof other) < 0;
    }
};

desc plain(const memory::dims& dims) {
    return desc(dims, memory::data_type::f32,
                dims.size() == 1 ? tag::a : tag::abcd);
}
desc any(const memory::dims& dims, bool bfloat16 = false) {
    return desc(dims, bfloat16 ? memory::data_type::bf16
                               : memory::data_type::f32,
                tag::any);
}

// What primitives of a convolution have in common.
struct Terms {
    algorithm method;
    desc source, filters, target;
    memory::dims strides, padding;
};

// oneDNN 3 dropped the operation descriptors of oneDNN 2.
dnnl::convolution_forward::primitive_desc describe_forward(
    const Terms& t, const desc& bias, const dnnl::primitive_attr& attributes) {
    // For inference, Winograd's filters would be transformed by a slow
    // reorder instead of within the primitive.
    const auto pass = prop_kind::forward_training;
#if DNNL_VERSION_MAJOR >= 3
    return {cpu(),    pass,      t.method,  t.source,  t.filters, bias,
            t.target, t.strides, t.padding, t.padding, attributes};
#else
    return {{pass, t.method, t.source, t.filters, bias, t.target, t.strides,
             t.padding, t.padding},
            attributes,
            cpu()};
#endif
}

template <typename Primitive>
typename Primitive::primitive_desc describe_backward(
    const Terms& t, const dnnl::convolution_forward::primitive_desc& hint,
    const dnnl::primitive_attr& attributes) {
#if DNNL_VERSION_MAJOR >= 3
    return {cpu(),     t.method,  t.source,  t.filters, t.target,
            t.strides, t.padding, t.padding, hint,      attributes};
#else
    return {{t.method, t.source, t.filters, t.target, t.strides, t.padding,
             t.padding},
            attributes,
            cpu(),
            hint};
#endif
}

dnnl::post_ops rectifier() {
    dnnl::post_ops after;
#if DNNL_VERSION_MAJOR >= 3
    after.append_eltwise(algorithm::eltwise_relu, 0, 0);
#else
    after.append_eltwise(1, algorithm::eltwise_relu, 0, 0);
#endif
    return after;
}

// A primitive, and the layouts that it wants.
struct Convolution {
    dnnl::primitive primitive;
    desc source, filters, target, scratch;

    Convolution(const Shape& shape, algorithm method) {
        // With bfloat16, what is given is rounded, and the result is not.
        const auto given = [&](Kind result) {
            return shape.bfloat16 && shape.kind != result;
        };
        const Terms terms = {
            method,
            any(shape.source_dims(), given(grad_inputs)),
            any(shape.filter_dims(), given(grad_filters)),
            any(shape.target_dims(), given(forward)),
            {shape.row_stride, shape.column_stride},
            {shape.row_padding, shape.column_padding}};
        // What gradients belong to is all of one type.
        Terms whole = terms;
        if (shape.bfloat16 && shape.kind != forward) {
            whole.source = any(shape.source_dims(), true);
            whole.filters = any(shape.filter_dims(), true);
            whole.target = any(shape.target_dims(), true);
        }
        dnnl::primitive_attr attributes;
        attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
        auto forward_attributes = attributes;
        if (shape.rectify) forward_attributes.set_post_ops(rectifier());
        const auto description = describe_forward(
            whole, shape.has_bias ? plain({shape.filters}) : desc(),
            forward_attributes);
        if (shape.kind == forward) {
            primitive = dnnl::convolution_forward(description);
            source = description.src_desc();
            filters = description.weights_desc();
            target = description.dst_desc();
            scratch = description.scratchpad_desc();
        } else if (shape.kind == grad_inputs) {
            using Backward = dnnl::convolution_backward_data;
            const auto backward =
                describe_backward<Backward>(terms, description, attributes);
            primitive = Backward(backward);
            source = backward.diff_src_desc();
            filters = backward.weights_desc();
            target = backward.diff_dst_desc();
            scratch = backward.scratchpad_desc();
        } else {
            using Backward = dnnl::convolution_backward_weights;
            const auto backward =
                describe_backward<Backward>(terms, description, attributes);
            primitive = Backward(backward);
            source = backward.src_desc();
            filters = backward.diff_weights_desc();
            target = backward.diff_dst_desc();
            scratch = backward.scratchpad_desc();
        }
    }
};

Convolution& find(const Shape& shape) {
    thread_local std::map<Shape, Convolution> cache;
    auto found = cache.find(shape);
    if (found == cache.end()) {
        Convolution convolution = [&] {
            if (shape.fits_winograd()) try {
                    return Convolution(shape, algorithm::convolution_winograd);
                } catch (const dnnl::error&) {
                    // This processor or shape has none.
                }
            return Convolution(shape, algorithm::convolution_direct);
        }();
        found = cache.emplace(shape, convolution).first;
    }
    return found->second;
}

thread_local dnnl::stream* stream = nullptr;

void copy(memory& from, memory& to) {
    dnnl::reorder(from, to).execute(*stream, from, to);
}

// An array in the layout wanted: itself if it has that layout already.
memory laid_out(const float* array, const memory::dims& dims,
                const desc& wanted, int buffer) {
    memory given(plain(dims), cpu(), const_cast<float*>(array));
    if (wanted == plain(dims)) return given;
    memory result(wanted, cpu(), buffers[buffer].reserve(wanted.get_size()));
    copy(given, result);
    return result;
}

// Memory for a result: the array itself if it has the layout.
memory result_memory(float* array, const memory::dims& dims, const desc& wanted,
                     int buffer) {
    const bool same = wanted == plain(dims);
    return memory(wanted, cpu(),
                  same ? array : buffers[buffer].reserve(wanted.get_size()));
}

void hand_over(memory& result, float* array, const memory::dims& dims) {
    if (result.get_data_handle() == array) return;
    memory given(plain(dims), cpu(), array);
    copy(result, given);
}

// A convolution for prediction in bfloat16, of images whose channels come last.
// Its filters, given in bfloat16, are kept in oneDNN's layout alone.
class Layer {
public:
    Layer(const Shape& shape, const uint16_t* kernels, const float* biases,
          bool wide)
        : shape_(shape), biases_(biases, biases + shape.filters), wide_(wide),
          filters_(desc(shape.filter_dims(), memory::data_type::bf16,
                        tag::abcd),
                   cpu()) {
        std::copy_n(kernels, size(shape.filter_dims()),
                    static_cast<uint16_t*>(filters_.get_data_handle()));
    }

    void run(int64_t batch, int64_t rows, int64_t columns, void* inputs,
             void* outputs) {
        std::lock_guard<std::mutex> lock(mutex_);
        if (!stream) stream = new dnnl::stream(cpu());
        Shape shape = shape_;
        shape.batch = batch, shape.rows = rows, shape.columns = columns;
        auto found = prepared_.find(shape);
        if (found == prepared_.end())
            found = prepared_.emplace(shape, prepare(shape)).first;
        const Prepared& ready = found->second;
        const auto& description = ready.description;
        const desc scratchpad = description.scratchpad_desc();
        ready.primitive.execute(
            *stream,
            {{DNNL_ARG_SRC, memory(description.src_desc(), cpu(), inputs)},
             {DNNL_ARG_WEIGHTS, ready.filters},
             {DNNL_ARG_BIAS,
              memory(plain({shape.filters}), cpu(), biases_.data())},
             {DNNL_ARG_DST, memory(description.dst_desc(), cpu(), outputs)},
             {DNNL_ARG_SCRATCHPAD,
              memory(scratchpad, cpu(),
                     buffers[scratch].reserve(scratchpad.get_size()))}});
        stream->wait();
    }

private:
    struct Prepared {
        dnnl::convolution_forward::primitive_desc description;
        dnnl::convolution_forward primitive;
        memory filters;
    };

    Prepared prepare(const Shape& shape) {
        const auto rounded = memory::data_type::bf16;
        const Terms terms = {
            algorithm::convolution_direct,
            desc(shape.source_dims(), rounded, tag::acdb),
            desc(shape.filter_dims(), rounded, tag::any),
            desc(shape.target_dims(), wide_ ? memory::data_type::f32 : rounded,
                 tag::acdb),
            {shape.row_stride, shape.column_stride},
            {shape.row_padding, shape.column_padding}};
        dnnl::primitive_attr attributes;
        attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
        if (shape.rectify) attributes.set_post_ops(rectifier());
        Prepared ready;
        ready.description =
            describe_forward(terms, plain({shape.filters}), attributes);
        ready.primitive = dnnl::convolution_forward(ready.description);
        const desc layout = ready.description.weights_desc();
        for (const auto& other : prepared_)
            if (other.second.filters.get_desc() == layout)
                filters_ = other.second.filters;
        if (filters_.get_desc() != layout) {
            memory wanted(layout, cpu());
            copy(filters_, wanted);
            stream->wait();
            filters_ = wanted;
        }
        ready.filters = filters_;
        return ready;
    }

    Shape shape_;
    std::vector<float> biases_;
    bool wide_;
    // As they were given, then as they were wanted last.
    memory filters_;
    std::map<Shape, Prepared> prepared_;
    std::mutex mutex_;
};

void run(Shape shape, float* inputs, float* kernels, float* biases,
         float* outputs) {
    if (!stream) stream = new dnnl::stream(cpu());
    const int64_t batch = shape.batch;
    shape.batch = 1;
    const int64_t source_size = size(shape.source_dims());
    const int64_t target_size = size(shape.target_dims());
    const int64_t filter_size = size(shape.filter_dims());
    const int64_t most =
        std::max<int64_t>(1, chunk_bytes / 4 / (source_size + target_size));
    // Chunks of equal size as far as possible.
    const int64_t chunks = (batch + most - 1) / most;
    if (!batch && shape.kind == grad_filters)
        std::fill_n(kernels, filter_size, 0.f);
    std::vector<float> sum;
    memory kernel;
    desc kernel_layout;
    for (int64_t chunk = 0, start = 0; chunk < chunks; ++chunk) {
        shape.batch = batch / chunks + (chunk < batch % chunks);
        Convolution& convolution = find(shape);
        float* in = inputs + start * source_size;
        float* out = outputs + start * target_size;
        const auto source_dims = shape.source_dims(),
                   filter_dims = shape.filter_dims(),
                   target_dims = shape.target_dims();
        if (shape.kind != grad_filters &&
            (!kernel || kernel_layout != convolution.filters)) {
            kernel =
                laid_out(kernels, filter_dims, convolution.filters, filters);
            kernel_layout = convolution.filters;
        }
        std::unordered_map<int, memory> arguments = {
            {DNNL_ARG_SCRATCHPAD,
             memory(convolution.scratch, cpu(),
                    buffers[scratch].reserve(convolution.scratch.get_size()))}};
        if (shape.kind == forward) {
            memory result =
                result_memory(out, target_dims, convolution.target, target);
            arguments[DNNL_ARG_SRC] =
                laid_out(in, source_dims, convolution.source, source);
            arguments[DNNL_ARG_WEIGHTS] = kernel;
            if (biases)
                arguments[DNNL_ARG_BIAS] =
                    memory(plain({shape.filters}), cpu(), biases);
            arguments[DNNL_ARG_DST] = result;
            convolution.primitive.execute(*stream, arguments);
            hand_over(result, out, target_dims);
        } else if (shape.kind == grad_inputs) {
            memory result =
                result_memory(in, source_dims, convolution.source, source);
            arguments[DNNL_ARG_DIFF_DST] =
                laid_out(out, target_dims, convolution.target, target);
            arguments[DNNL_ARG_WEIGHTS] = kernel;
            arguments[DNNL_ARG_DIFF_SRC] = result;
            convolution.primitive.execute(*stream, arguments);
            hand_over(result, in, source_dims);
        } else {
            // Each chunk adds to the filters' gradient.
            if (chunk) sum.resize(filter_size);
            float* gradient = chunk ? sum.data() : kernels;
            memory result = result_memory(gradient, filter_dims,
                                          convolution.filters, filters);
            arguments[DNNL_ARG_SRC] =
                laid_out(in, source_dims, convolution.source, source);
            arguments[DNNL_ARG_DIFF_DST] =
                laid_out(out, target_dims, convolution.target, target);
            arguments[DNNL_ARG_DIFF_WEIGHTS] = result;
            convolution.primitive.execute(*stream, arguments);
            hand_over(result, gradient, filter_dims);
            stream->wait();
            for (int64_t i = 0; chunk && i < filter_size; ++i)
                kernels[i] += sum[i];
        }
        start += shape.batch;
    }
    stream->wait();
}

Shape read_shape(const int64_t* numbers) {
    Shape shape;
    std::copy(numbers, numbers + sizeof shape / sizeof *numbers,
              reinterpret_cast<int64_t*>(&shape));
    return shape;
}

}  // namespace

// numbers: the fields of Shape. With bfloat16, what is given is rounded to it;
// sums and the result are float32. kind decides which array is the result:
// outputs, inputs (their gradient) or kernels (their gradient); the filters
// are not flipped. Returns null or what went wrong.
extern "C" const char* onednn_convolution(const int64_t* numbers, float* inputs,
                                          float* kernels, float* biases,
                                          float* outputs) {
    try {
        run(read_shape(numbers), inputs, kernels, biases, outputs);
        return nullptr;
    } catch (const std::exception& error) {
        message = error.what();
        return message.c_str();
    }
}

// numbers: the fields of Shape for one kind of images; kernels: in bfloat16;
// wide: whether outputs are float32. Null if there is no memory.
extern "C" void* onednn_layer(const int64_t* numbers, const uint16_t* kernels,
                              const float* biases, int64_t wide) {
    try {
        return new Layer(read_shape(numbers), kernels, biases, wide);
    } catch (const std::exception&) {
        return nullptr;
    }
}

extern "C" const char* onednn_run_layer(void* layer, int64_t batch,
                                        int64_t rows, int64_t columns,
                                        void* inputs, void* outputs) {
    try {
        static_cast<Layer*>(layer)->run(batch, rows, columns, inputs, outputs);
        return nullptr;
    } catch (const std::exception& error) {
        message = error.what();
        return message.c_str();
    }
}

extern "C" void onednn_free_layer(void* layer) {
    delete static_cast<Layer*>(layer);
}

// Whether there is Winograd's algorithm: newer versions have it for fewer
// processors, or for none.
extern "C" int64_t onednn_has_winograd() {
    Shape shape = {forward, 1, 64, 64, 28, 28, 3, 3, 1, 1, 1, 1, 1, 0, 1, 0};
    try {
        Convolution(shape, algorithm::convolution_winograd);
        return 1;
    } catch (const std::exception&) {
        return 0;
    }
}

extern "C" const char* onednn_version() {
    const dnnl_version_t* version = dnnl_version();
    message = std::to_string(version->major) + "." +
              std::to_string(version->minor) + "." +
              std::to_string(version->patch);
    return message.c_str();
}
