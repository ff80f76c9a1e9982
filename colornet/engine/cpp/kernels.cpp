// What Theano's elementwise graphs do in many passes over memory, in few.
//
// Every function comes for float and double; arrays are contiguous. Sums over
// more than a few hundred numbers are kept in double precision.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

namespace {

// Sums of values and of their squared distances from a center. The partial
// sums are short enough for float.
template <typename T>
inline double sum(const T* x, int64_t size) {
    double total = 0;
    for (int64_t start = 0; start < size; start += 512) {
        const int64_t stop = std::min(start + 512, size);
        T part = 0;
#pragma omp simd reduction(+ : part)
        for (int64_t i = start; i < stop; ++i) part += x[i];
        total += part;
    }
    return total;
}

template <typename T>
inline double sum_of_squares(const T* x, T center, int64_t size) {
    double total = 0;
    for (int64_t start = 0; start < size; start += 512) {
        const int64_t stop = std::min(start + 512, size);
        T part = 0;
#pragma omp simd reduction(+ : part)
        for (int64_t i = start; i < stop; ++i)
            part += (x[i] - center) * (x[i] - center);
        total += part;
    }
    return total;
}

// exp() that the compiler can vectorize; within 2 units in the last place
// (Cephes), and 1e-38 where the true value would be smaller.
inline float exponential(float x) {
    x = std::min(std::max(x, -87.3f), 88.3f);
    const float n = std::floor(x * 1.44269504f + 0.5f);
    const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    float y = 1.9875691500e-4f;
    y = y * r + 1.3981999507e-3f;
    y = y * r + 8.3334519073e-3f;
    y = y * r + 4.1665795894e-2f;
    y = y * r + 1.6666665459e-1f;
    y = y * r + 5.0000001201e-1f;
    y = y * r * r + r + 1.0f;
    const int32_t bits = (int32_t(n) + 127) << 23;
    float power;
    std::memcpy(&power, &bits, sizeof power);
    return y * power;
}
inline double exponential(double x) {
    return std::exp(x);
}

// ---- Batch normalization of (batch, channels, pixels) ----------------------
// One channel after the other: after its first pass, it is in the cache.

template <typename T>
void batch_norm(const T* input, const T* gamma, const T* beta, double epsilon,
                bool rectify, T* output, T* mean, T* variance, int64_t batch,
                int64_t channels, int64_t pixels) {
    const double count = double(batch) * pixels;
    const T floor = rectify ? T(0) : -std::numeric_limits<T>::infinity();
#pragma omp parallel for schedule(static)
    for (int64_t c = 0; c < channels; ++c) {
        double total = 0, squares = 0;
        for (int64_t n = 0; n < batch; ++n)
            total += sum(input + (n * channels + c) * pixels, pixels);
        const T center = T(total / count);
        for (int64_t n = 0; n < batch; ++n)
            squares += sum_of_squares(input + (n * channels + c) * pixels,
                                      center, pixels);
        mean[c] = center;
        variance[c] = T(squares / count);
        const T scale = T(gamma[c] / std::sqrt(squares / count + epsilon));
        const T shift = beta[c];
        for (int64_t n = 0; n < batch; ++n) {
            const T* x = input + (n * channels + c) * pixels;
            T* y = output + (n * channels + c) * pixels;
#pragma omp simd
            for (int64_t i = 0; i < pixels; ++i) {
                const T value = (x[i] - center) * scale + shift;
                y[i] = value < floor ? floor : value;
            }
        }
    }
}

// The rectifier's derivative; a half at its kink, as Theano has it. Maps that
// are zero everywhere sit there.
template <typename T>
inline T slope_above(T value, T floor) {
    return value > floor ? T(1) : value == floor ? T(0.5) : T(0);
}

// input_gradient may be output_gradient, or null if nobody needs it.
template <typename T>
void batch_norm_gradient(const T* input, const T* output_gradient,
                         const T* gamma, const T* beta, const T* mean,
                         const T* variance, double epsilon, bool rectify,
                         T* input_gradient, T* gamma_gradient, T* beta_gradient,
                         int64_t batch, int64_t channels, int64_t pixels) {
    const double count = double(batch) * pixels;
    const T floor = rectify ? T(0) : -std::numeric_limits<T>::infinity();
#pragma omp parallel for schedule(static)
    for (int64_t c = 0; c < channels; ++c) {
        const T center = mean[c], shift = beta[c];
        const T inverse = T(1 / std::sqrt(variance[c] + epsilon));
        const T scale = T(gamma[c] / std::sqrt(variance[c] + epsilon));
        double total = 0, product = 0;
        for (int64_t n = 0; n < batch; ++n) {
            const T* x = input + (n * channels + c) * pixels;
            const T* dy = output_gradient + (n * channels + c) * pixels;
            for (int64_t start = 0; start < pixels; start += 512) {
                const int64_t stop = std::min(start + 512, pixels);
                T part = 0, part_product = 0;
#pragma omp simd reduction(+ : part, part_product)
                for (int64_t i = start; i < stop; ++i) {
                    const T d = x[i] - center;
                    const T g = dy[i] * slope_above(d * scale + shift, floor);
                    part += g;
                    part_product += g * d;
                }
                total += part;
                product += part_product;
            }
        }
        gamma_gradient[c] = T(product * inverse);
        beta_gradient[c] = T(total);
        if (!input_gradient) continue;
        const T average = T(total / count);
        const T slope = T(product * inverse * inverse / count);
        for (int64_t n = 0; n < batch; ++n) {
            const T* x = input + (n * channels + c) * pixels;
            const T* dy = output_gradient + (n * channels + c) * pixels;
            T* dx = input_gradient + (n * channels + c) * pixels;
#pragma omp simd
            for (int64_t i = 0; i < pixels; ++i) {
                const T d = x[i] - center;
                const T g = dy[i] * slope_above(d * scale + shift, floor);
                dx[i] = scale * (g - average - d * slope);
            }
        }
    }
}

// ---- Cross-entropy over the classes of (batch, classes, pixels) ------------
// Blocks of pixels, so that a block's classes stay in the first-level cache.

const int64_t block = 256;

// For each pixel, largest gets the largest score, log_sums the logarithm of the
// sum of exponentials relative to it: huge scores would swallow it. Returns the
// sum over all pixels, or NaN if a target is no class.
template <typename T>
double cross_entropy(const T* logits, const int32_t* targets, T* largest_scores,
                     T* log_sums, int64_t batch, int64_t classes,
                     int64_t pixels) {
    double total = 0;
    const int64_t blocks = (pixels + block - 1) / block;
#pragma omp parallel for collapse(2) schedule(static) reduction(+ : total)
    for (int64_t n = 0; n < batch; ++n)
        for (int64_t b = 0; b < blocks; ++b) {
            const int64_t size = std::min(block, pixels - b * block);
            const T* x = logits + n * classes * pixels + b * block;
            const int32_t* target = targets + n * pixels + b * block;
            T largest[block], sums[block] = {};
            std::copy(x, x + size, largest);
            for (int64_t k = 1; k < classes; ++k)
#pragma omp simd
                for (int64_t i = 0; i < size; ++i)
                    largest[i] = std::max(largest[i], x[k * pixels + i]);
            for (int64_t k = 0; k < classes; ++k)
#pragma omp simd
                for (int64_t i = 0; i < size; ++i)
                    sums[i] += exponential(x[k * pixels + i] - largest[i]);
            double part = 0;
            for (int64_t i = 0; i < size; ++i) {
                const int64_t k = target[i];
                const T log_sum = std::log(sums[i]);
                part += k < 0 || k >= classes
                            ? std::numeric_limits<double>::quiet_NaN()
                            : log_sum + (largest[i] - x[k * pixels + i]);
                largest_scores[n * pixels + b * block + i] = largest[i];
                log_sums[n * pixels + b * block + i] = log_sum;
            }
            total += part;
        }
    return total;
}

// Calls work(image number, first pixel, number of pixels) for each block.
template <typename Work>
void for_blocks(int64_t batch, int64_t pixels, Work work) {
    const int64_t blocks = (pixels + block - 1) / block;
#pragma omp parallel for collapse(2) schedule(static)
    for (int64_t n = 0; n < batch; ++n)
        for (int64_t b = 0; b < blocks; ++b)
            work(n, b * block, std::min(block, pixels - b * block));
}

// gradient = scale * (softmax(logits) - one_hot(targets))
template <typename T>
void cross_entropy_gradient(const T* logits, const int32_t* targets,
                            const T* largest_scores, const T* log_sums, T scale,
                            T* gradient, int64_t batch, int64_t classes,
                            int64_t pixels) {
    for_blocks(batch, pixels, [=](int64_t n, int64_t start, int64_t size) {
        const int64_t offset = n * classes * pixels + start;
        const T* x = logits + offset;
        T* g = gradient + offset;
        const T* largest = largest_scores + n * pixels + start;
        const T* log_sum = log_sums + n * pixels + start;
        const int32_t* target = targets + n * pixels + start;
        for (int64_t k = 0; k < classes; ++k)
#pragma omp simd
            for (int64_t i = 0; i < size; ++i)
                g[k * pixels + i] =
                    scale *
                    (exponential(x[k * pixels + i] - largest[i] - log_sum[i]) -
                     (target[i] == k ? T(1) : T(0)));
    });
}

// The number of the largest score of each pixel, the first of equal ones.
template <typename T>
void argmax(const T* scores, int64_t* numbers, int64_t batch, int64_t classes,
            int64_t pixels) {
    for_blocks(batch, pixels, [=](int64_t n, int64_t start, int64_t size) {
        const T* x = scores + n * classes * pixels + start;
        T largest[block];
        int32_t number[block] = {};
        std::copy(x, x + size, largest);
        for (int64_t k = 1; k < classes; ++k)
#pragma omp simd
            for (int64_t i = 0; i < size; ++i) {
                const T score = x[k * pixels + i];
                number[i] = score > largest[i] ? int32_t(k) : number[i];
                largest[i] = score > largest[i] ? score : largest[i];
            }
        std::copy(number, number + size, numbers + n * pixels + start);
    });
}

// ---- Blocks of an upscaled map (see upscaled.py) ---------------------------

// Blocks of 2 x 2 are all corners; the other three are null then.
template <typename T>
struct Blocks {
    T* corners;  // (batch, 2, 2, filters, rows + 1, columns + 1), by upper or
                 // lower (half) and left or right (side) corner of a block
    T* sides;    // (batch, 2, filters, rows + 1, columns), upper or lower row
    T* flanks;   // (batch, 2, filters, rows, columns + 1), left or right column
    T* centers;  // (batch, filters, rows, columns)
    int64_t batch, filters, rows, columns, scale;

    T* corner(int64_t n, int64_t half, int64_t side, int64_t f,
              int64_t row) const {
        return corners +
               ((((n * 2 + half) * 2 + side) * filters + f) * (rows + 1) +
                row) *
                   (columns + 1);
    }
    T* side(int64_t n, int64_t half, int64_t f, int64_t row) const {
        return sides ? sides +
                           (((n * 2 + half) * filters + f) * (rows + 1) + row) *
                               columns
                     : nullptr;
    }
    T* flank(int64_t n, int64_t side, int64_t f, int64_t row) const {
        return flanks +
               (((n * 2 + side) * filters + f) * rows + row) * (columns + 1);
    }
    T* center(int64_t n, int64_t f, int64_t row) const {
        return centers + ((n * filters + f) * rows + row) * columns;
    }
};

// values: what one row of blocks adds to an image row, columns * scale long.
template <typename T>
inline void spread(T* values, const T* left, const T* middle, const T* right,
                   int64_t columns, int64_t scale) {
    for (int64_t j = 0; j < columns; ++j) {
        T* out = values + j * scale;
        out[0] = left[j];
        for (int64_t q = 1; q < scale - 1; ++q) out[q] = middle[j];
        out[scale - 1] = right[j + 1];
    }
}

template <typename T>
inline void gather(const T* values, T* left, T* middle, T* right,
                   int64_t columns, int64_t scale) {
    left[columns] = right[0] = 0;  // reach beyond the map: no block has them
    for (int64_t j = 0; j < columns; ++j) {
        const T* in = values + j * scale;
        left[j] = in[0];
        right[j + 1] = in[scale - 1];
        if (scale == 2) continue;
        T total = 0;
        for (int64_t q = 1; q < scale - 1; ++q) total += in[q];
        middle[j] = total;
    }
}

// Calls work(left, middle, right, pixels, repeat, values) for the upper row,
// the rows between and the lower row of each row of blocks: what falls on
// `repeat` equal rows of pixels of the image, (batch, filters, rows * scale,
// columns * scale), and memory for one of them.
template <typename T, typename Pixel, typename Work>
void for_rows(const Blocks<T>& b, Pixel* image, Work work) {
    const int64_t width = b.columns * b.scale;
#pragma omp parallel
    {
        std::vector<typename std::remove_const<T>::type> values(width);
#pragma omp for collapse(2) schedule(static)
        for (int64_t n = 0; n < b.batch; ++n)
            for (int64_t f = 0; f < b.filters; ++f) {
                Pixel* pixels =
                    image + (n * b.filters + f) * b.rows * b.scale * width;
                for (int64_t i = 0; i < b.rows; ++i) {
                    work(b.corner(n, 0, 0, f, i), b.side(n, 0, f, i),
                         b.corner(n, 0, 1, f, i), pixels, 1, values.data());
                    pixels += width;
                    if (b.scale > 2)
                        work(b.flank(n, 0, f, i), b.center(n, f, i),
                             b.flank(n, 1, f, i), pixels, b.scale - 2,
                             values.data());
                    pixels += (b.scale - 2) * width;
                    work(b.corner(n, 1, 0, f, i + 1), b.side(n, 1, f, i + 1),
                         b.corner(n, 1, 1, f, i + 1), pixels, 1, values.data());
                    pixels += width;
                }
            }
    }
}

// The image is added to; negative sums become zero, if wanted.
template <typename T>
void add_blocks(T* image, const Blocks<const T>& b, bool rectify) {
    const int64_t width = b.columns * b.scale;
    const T floor = rectify ? T(0) : -std::numeric_limits<T>::infinity();
    for_rows(b, image,
             [&](const T* left, const T* middle, const T* right, T* pixels,
                 int64_t repeat, T* values) {
                 spread(values, left, middle, right, b.columns, b.scale);
                 for (int64_t p = 0; p < repeat; ++p, pixels += width)
#pragma omp simd
                     for (int64_t q = 0; q < width; ++q) {
                         const T value = pixels[q] + values[q];
                         pixels[q] = value < floor ? floor : value;
                     }
             });
}

// The transpose: gradients of the blocks from that of the image.
template <typename T>
void add_blocks_gradient(const T* image, const Blocks<T>& b) {
    const int64_t width = b.columns * b.scale;
    for_rows(b, image,
             [&](T* left, T* middle, T* right, const T* pixels, int64_t repeat,
                 T* values) {
                 if (repeat > 1) {
                     std::copy(pixels, pixels + width, values);
                     for (int64_t p = 1; p < repeat; ++p)
#pragma omp simd
                         for (int64_t q = 0; q < width; ++q)
                             values[q] += pixels[p * width + q];
                     pixels = values;
                 }
                 gather(pixels, left, middle, right, b.columns, b.scale);
             });
    // The windows that no block of a half reaches.
    for (int64_t n = 0; n < b.batch; ++n)
        for (int64_t half = 0; half < 2; ++half)
            for (int64_t f = 0; f < b.filters; ++f) {
                const int64_t row = half ? 0 : b.rows;
                for (int64_t side = 0; side < 2; ++side)
                    std::fill_n(b.corner(n, half, side, f, row), b.columns + 1,
                                T(0));
                if (b.sides)
                    std::fill_n(b.side(n, half, f, row), b.columns, T(0));
            }
}

// ---- Blocks of scale x scale pixels, added up or of one value --------------
// Maps are (planes, rows * scale, columns * scale), values of blocks (planes,
// rows, columns). What is computed is multiplied by a factor.

template <typename T>
void pool_blocks(const T* maps, T* values, int64_t planes, int64_t rows,
                 int64_t columns, int64_t scale, T factor) {
    const int64_t width = columns * scale;
#pragma omp parallel
    {
        std::vector<T> sums(width);
#pragma omp for schedule(static)
        for (int64_t row = 0; row < planes * rows; ++row) {
            const T* in = maps + row * scale * width;
            T* const total = sums.data();
            std::copy(in, in + width, total);
            for (int64_t p = 1; p < scale; ++p)
#pragma omp simd
                for (int64_t q = 0; q < width; ++q)
                    total[q] += in[p * width + q];
            T* out = values + row * columns;
            for (int64_t j = 0; j < columns; ++j) {
                T sum = 0;
                for (int64_t q = 0; q < scale; ++q) sum += total[j * scale + q];
                out[j] = sum * factor;
            }
        }
    }
}

template <typename T>
void spread_blocks(const T* values, T* maps, int64_t planes, int64_t rows,
                   int64_t columns, int64_t scale, T factor) {
    const int64_t width = columns * scale;
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < planes * rows; ++row) {
        const T* in = values + row * columns;
        T* out = maps + row * scale * width;
        for (int64_t j = 0; j < columns; ++j)
            std::fill_n(out + j * scale, scale, in[j] * factor);
        for (int64_t p = 1; p < scale; ++p)
            std::copy(out, out + width, out + p * width);
    }
}

}  // namespace

#define EXPORT(T, suffix)                                                      \
    extern "C" void batch_norm_##suffix(                                       \
        const T* x, const T* gamma, const T* beta, double epsilon,             \
        int64_t rectify, T* y, T* mean, T* variance, int64_t batch,            \
        int64_t channels, int64_t pixels) {                                    \
        batch_norm(x, gamma, beta, epsilon, rectify, y, mean, variance, batch, \
                   channels, pixels);                                          \
    }                                                                          \
    extern "C" void batch_norm_gradient_##suffix(                              \
        const T* x, const T* dy, const T* gamma, const T* beta, const T* mean, \
        const T* variance, double epsilon, int64_t rectify, T* dx, T* dgamma,  \
        T* dbeta, int64_t batch, int64_t channels, int64_t pixels) {           \
        batch_norm_gradient(x, dy, gamma, beta, mean, variance, epsilon,       \
                            rectify, dx, dgamma, dbeta, batch, channels,       \
                            pixels);                                           \
    }                                                                          \
    extern "C" double cross_entropy_##suffix(                                  \
        const T* logits, const int32_t* targets, T* largest, T* log_sums,      \
        int64_t batch, int64_t classes, int64_t pixels) {                      \
        return cross_entropy(logits, targets, largest, log_sums, batch,        \
                             classes, pixels);                                 \
    }                                                                          \
    extern "C" void cross_entropy_gradient_##suffix(                           \
        const T* logits, const int32_t* targets, const T* largest,             \
        const T* log_sums, double scale, T* gradient, int64_t batch,           \
        int64_t classes, int64_t pixels) {                                     \
        cross_entropy_gradient(logits, targets, largest, log_sums, T(scale),   \
                               gradient, batch, classes, pixels);              \
    }                                                                          \
    extern "C" void argmax_##suffix(const T* scores, int64_t* numbers,         \
                                    int64_t batch, int64_t classes,            \
                                    int64_t pixels) {                          \
        argmax(scores, numbers, batch, classes, pixels);                       \
    }                                                                          \
    extern "C" void add_blocks_##suffix(                                       \
        T* image, const T* corners, const T* sides, const T* flanks,           \
        const T* centers, int64_t batch, int64_t filters, int64_t rows,        \
        int64_t columns, int64_t scale, int64_t rectify) {                     \
        add_blocks(image,                                                      \
                   Blocks<const T>{corners, sides, flanks, centers, batch,     \
                                   filters, rows, columns, scale},             \
                   rectify);                                                   \
    }                                                                          \
    extern "C" void pool_blocks_##suffix(                                      \
        const T* maps, T* values, int64_t planes, int64_t rows,                \
        int64_t columns, int64_t scale, double factor) {                       \
        pool_blocks(maps, values, planes, rows, columns, scale, T(factor));    \
    }                                                                          \
    extern "C" void spread_blocks_##suffix(                                    \
        const T* values, T* maps, int64_t planes, int64_t rows,                \
        int64_t columns, int64_t scale, double factor) {                       \
        spread_blocks(values, maps, planes, rows, columns, scale, T(factor));  \
    }                                                                          \
    extern "C" void add_blocks_gradient_##suffix(                              \
        const T* image, T* corners, T* sides, T* flanks, T* centers,           \
        int64_t batch, int64_t filters, int64_t rows, int64_t columns,         \
        int64_t scale) {                                                       \
        add_blocks_gradient(                                                   \
            image, Blocks<T>{corners, sides, flanks, centers, batch, filters,  \
                             rows, columns, scale});                           \
    }

EXPORT(float, float32)
EXPORT(double, float64)
