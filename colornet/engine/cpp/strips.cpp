// Convolutions by BLAS, of (batch, channels, rows, columns) arrays, stride 1.
//
// As Theano's CorrMM, these lay out the pixels below each place of the filter
// and multiply matrices. Doing so for a whole image takes hundreds of
// megabytes, which come from memory again and again; here it is done for a
// strip of rows that stays in the cache.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <vector>

#ifdef _OPENMP
#include <omp.h>
#else
static int omp_get_max_threads() {
    return 1;
}
static int omp_get_thread_num() {
    return 0;
}
#endif

extern "C" void sgemm_(const char*, const char*, const int*, const int*,
                       const int*, const float*, const float*, const int*,
                       const float*, const int*, const float*, float*,
                       const int*);

// OpenBLAS must not start threads within our threads. Other libraries do not
// have these.
extern "C" int openblas_get_num_threads(void) __attribute__((weak));
extern "C" void openblas_set_num_threads(int) __attribute__((weak));

namespace {

// The number is everybody's, so only one convolution runs at a time; it has
// all cores anyway.
class SingleThreadedBlas {
public:
    SingleThreadedBlas() : lock_(mutex()) {
        if (!openblas_set_num_threads) return;
        before_ = openblas_get_num_threads();
        openblas_set_num_threads(1);
    }
    ~SingleThreadedBlas() {
        if (openblas_set_num_threads) openblas_set_num_threads(before_);
    }

private:
    static std::mutex& mutex() {
        static std::mutex instance;
        return instance;
    }
    std::lock_guard<std::mutex> lock_;
    int before_ = 1;
};

// Floats of a strip.
const int64_t strip_size = 1 << 19;

struct Shape {
    int64_t batch, channels, filters, rows, columns, filter_rows,
        filter_columns, row_padding, column_padding, rectify;

    int64_t output_rows() const {
        return rows + 2 * row_padding - filter_rows + 1;
    }
    int64_t output_columns() const {
        return columns + 2 * column_padding - filter_columns + 1;
    }
    int64_t taps() const { return channels * filter_rows * filter_columns; }
    int64_t image() const { return channels * rows * columns; }
    int64_t output() const {
        return filters * output_rows() * output_columns();
    }
    int64_t strip_rows() const {
        return std::min(output_rows(),
                        std::max<int64_t>(
                            1, strip_size / std::max<int64_t>(
                                                1, taps() * output_columns())));
    }
    // A filter of one pixel needs no laying out.
    bool is_plain() const {
        return filter_rows == 1 && filter_columns == 1 && !row_padding &&
               !column_padding;
    }
};

// (taps, strip rows * output columns): the pixel below each tap of the filter
// for the places in rows [start, stop) of the output.
void lay_out(const float* image, const Shape& s, int64_t start, int64_t stop,
             float* strip) {
    const int64_t width = s.output_columns();
    for (int64_t c = 0; c < s.channels; ++c)
        for (int64_t i = 0; i < s.filter_rows; ++i)
            for (int64_t j = 0; j < s.filter_columns; ++j)
                for (int64_t row = start; row < stop; ++row, strip += width) {
                    const int64_t y = row + i - s.row_padding;
                    const int64_t shift = j - s.column_padding;
                    // Columns whose pixel lies in the image.
                    const int64_t first =
                        std::min(width, std::max<int64_t>(0, -shift));
                    const int64_t last =
                        std::max(first, std::min(width, s.columns - shift));
                    if (y < 0 || y >= s.rows) {
                        std::fill_n(strip, width, 0.f);
                        continue;
                    }
                    const float* pixels =
                        image + (c * s.rows + y) * s.columns + shift;
                    std::fill(strip, strip + first, 0.f);
                    std::copy(pixels + first, pixels + last, strip + first);
                    std::fill(strip + last, strip + width, 0.f);
                }
}

// Matrices in BLAS are stored by columns; ours, by rows, are their transposes.
void multiply(char transpose, int64_t m, int64_t n, int64_t k, const float* a,
              int64_t lda, const float* b, int64_t ldb, float beta, float* c,
              int64_t ldc) {
    const int M = m, N = n, K = k, A = lda, B = ldb, C = ldc;
    const float one = 1;
    sgemm_(&transpose, "N", &M, &N, &K, &one, a, &A, b, &B, &beta, c, &C);
}

// Calls work(image number, first row, last row, strip, its stride).
template <typename Work>
void for_strips(const Shape& s, const float* inputs, Work work) {
    const int64_t rows = s.output_rows(), width = s.output_columns();
    const int64_t step = s.strip_rows();
    const int64_t strips = (rows + step - 1) / step;
    const int64_t size = s.is_plain() ? 0 : s.taps() * step * width;
    // Here, since no exception may leave a thread.
    const std::unique_ptr<float[]> memory(
        new float[size * omp_get_max_threads()]);
#pragma omp parallel for collapse(2) schedule(static)
    for (int64_t n = 0; n < s.batch; ++n)
        for (int64_t number = 0; number < strips; ++number) {
            const int64_t start = number * step;
            const int64_t stop = std::min(rows, start + step);
            const float* image = inputs + n * s.image();
            if (s.is_plain()) {
                work(n, start, stop, image + start * width, rows * width);
            } else {
                float* strip = memory.get() + omp_get_thread_num() * size;
                lay_out(image, s, start, stop, strip);
                work(n, start, stop, strip, (stop - start) * width);
            }
        }
}

void forward(const Shape& s, const float* inputs, const float* filters,
             const float* bias, float* outputs) {
    const int64_t pixels = s.output_rows() * s.output_columns();
    const int64_t width = s.output_columns();
    for_strips(s, inputs,
               [&](int64_t n, int64_t start, int64_t stop, const float* strip,
                   int64_t stride) {
                   float* out = outputs + n * s.output() + start * width;
                   const int64_t size = (stop - start) * width;
                   multiply('N', size, s.filters, s.taps(), strip, stride,
                            filters, s.taps(), 0, out, pixels);
                   if (!bias && !s.rectify) return;
                   for (int64_t f = 0; f < s.filters; ++f) {
                       const float shift = bias ? bias[f] : 0;
                       float* values = out + f * pixels;
                       for (int64_t i = 0; i < size; ++i) {
                           const float value = values[i] + shift;
                           values[i] = s.rectify && value < 0 ? 0 : value;
                       }
                   }
               });
}

void grad_filters(const Shape& s, const float* inputs, const float* outputs,
                  float* filters) {
    const int64_t pixels = s.output_rows() * s.output_columns();
    const int64_t width = s.output_columns(), size = s.filters * s.taps();
    // Each thread has a sum of its own, over the same strips in every call:
    // equal trainings give equal numbers.
    std::vector<float> sums(omp_get_max_threads() * size);
    for_strips(s, inputs,
               [&](int64_t n, int64_t start, int64_t stop, const float* strip,
                   int64_t stride) {
                   multiply(
                       'T', s.taps(), s.filters, (stop - start) * width, strip,
                       stride, outputs + n * s.output() + start * width, pixels,
                       1, sums.data() + omp_get_thread_num() * size, s.taps());
               });
    std::fill_n(filters, size, 0.f);
    for (int64_t start = 0; start < int64_t(sums.size()); start += size)
        for (int64_t i = 0; i < size; ++i) filters[i] += sums[start + i];
}

// The gradient of the inputs is the convolution of that of the outputs with
// the filters turned by half a turn, inputs and outputs exchanged.
void grad_inputs(const Shape& s, float* inputs, const float* filters,
                 const float* outputs) {
    const int64_t area = s.filter_rows * s.filter_columns;
    std::vector<float> turned(s.filters * s.taps());
    for (int64_t f = 0; f < s.filters; ++f)
        for (int64_t c = 0; c < s.channels; ++c)
            for (int64_t i = 0; i < area; ++i)
                turned[(c * s.filters + f) * area + i] =
                    filters[(f * s.channels + c) * area + area - 1 - i];
    Shape t = s;
    t.channels = s.filters;
    t.filters = s.channels;
    t.rows = s.output_rows();
    t.columns = s.output_columns();
    t.row_padding = s.filter_rows - 1 - s.row_padding;
    t.column_padding = s.filter_columns - 1 - s.column_padding;
    t.rectify = 0;
    forward(t, outputs, turned.data(), nullptr, inputs);
}

}  // namespace

// kind: 0, forward; 1, gradient of inputs; 2, of filters, which are not
// flipped. Returns null or what went wrong.
extern "C" const char* strips_convolution(const int64_t* numbers, float* inputs,
                                          float* filters, float* bias,
                                          float* outputs) {
    Shape shape;
    const int64_t kind = numbers[0];
    std::copy(numbers + 1, numbers + 1 + sizeof shape / sizeof *numbers,
              reinterpret_cast<int64_t*>(&shape));
    try {
        SingleThreadedBlas single;
        if (kind == 0)
            forward(shape, inputs, filters, bias, outputs);
        else if (kind == 1)
            grad_inputs(shape, inputs, filters, outputs);
        else
            grad_filters(shape, inputs, outputs, filters);
        return nullptr;
    } catch (const std::bad_alloc&) {
        return "out of memory";
    }
}
