// Maps in bfloat16, (batch, rows, columns, channels), for prediction: what is
// between convolutions. bfloat16 is the upper half of float32.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

namespace {

typedef uint16_t bfloat16;

inline float widen(bfloat16 value) {
    const uint32_t bits = uint32_t(value) << 16;
    float result;
    std::memcpy(&result, &bits, sizeof result);
    return result;
}

// To the nearest; halves to the even one. What is no number stays none.
inline bfloat16 narrow(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    const uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    return (bits & 0x7fffffff) > 0x7f800000 ? 0x7fc0 : rounded;
}

// What is no number is the larger.
inline float larger(float a, float b) { return a > b || a != a ? a : b; }

inline void finish(const float* sums, int64_t channels, bool rectify,
                   bfloat16* out) {
    if (rectify)
        for (int64_t c = 0; c < channels; ++c)
            out[c] = narrow(sums[c] < 0 ? 0 : sums[c]);
    else
        for (int64_t c = 0; c < channels; ++c) out[c] = narrow(sums[c]);
}

}  // namespace

extern "C" {

void bfloat16_narrow(const float* from, bfloat16* to, int64_t count) {
#pragma omp parallel for
    for (int64_t i = 0; i < count; ++i) to[i] = narrow(from[i]);
}

void bfloat16_widen(const bfloat16* from, float* to, int64_t count) {
#pragma omp parallel for
    for (int64_t i = 0; i < count; ++i) to[i] = widen(from[i]);
}

// The largest of blocks of 2 x 2; the last row or column may be cut.
void bfloat16_max_pool(const bfloat16* maps, bfloat16* pooled, int64_t batch,
                       int64_t rows, int64_t columns, int64_t channels,
                       int64_t out_rows, int64_t out_columns) {
#pragma omp parallel for collapse(2)
    for (int64_t n = 0; n < batch; ++n)
        for (int64_t row = 0; row < out_rows; ++row)
            for (int64_t column = 0; column < out_columns; ++column) {
                bfloat16* out =
                    pooled +
                    ((n * out_rows + row) * out_columns + column) * channels;
                const int64_t right = 2 * column + 1 < columns ? channels : 0;
                const bfloat16* above =
                    maps +
                    ((n * rows + 2 * row) * columns + 2 * column) * channels;
                const bfloat16* below =
                    above + (2 * row + 1 < rows ? columns * channels : 0);
                for (int64_t c = 0; c < channels; ++c)
                    out[c] = narrow(larger(
                        larger(widen(above[c]), widen(above[right + c])),
                        larger(widen(below[c]), widen(below[right + c]))));
            }
}

// Means of blocks of scale x scale.
void bfloat16_mean_pool(const bfloat16* maps, bfloat16* means, int64_t batch,
                        int64_t rows, int64_t columns, int64_t channels,
                        int64_t scale) {
#pragma omp parallel
    {
        std::vector<float> sums(channels);
#pragma omp for
        for (int64_t block = 0; block < batch * rows * columns; ++block) {
            const bfloat16* corner =
                maps + (block / columns * scale * columns * scale +
                        block % columns * scale) *
                           channels;
            std::fill(sums.begin(), sums.end(), 0.f);
            for (int64_t row = 0; row < scale; ++row)
                for (int64_t i = 0; i < scale; ++i)
                    for (int64_t c = 0; c < channels; ++c)
                        sums[c] += widen(corner[(row * columns * scale + i) *
                                                    channels +
                                                c]);
            for (int64_t c = 0; c < channels; ++c)
                sums[c] /= scale * scale;
            finish(sums.data(), channels, false, means + block * channels);
        }
    }
}

// Sum of maps that are upscaled, each times a factor for each channel unless
// that is null, and of a vector for each image. Maps may have more rows and
// columns than the sum. numbers, for each of the maps: rows, columns, scale.
void bfloat16_total(const int64_t* numbers, const bfloat16* const* maps,
                    const float* const* factors, const float* vectors,
                    bfloat16* total, int64_t count, int64_t batch,
                    int64_t rows, int64_t columns, int64_t channels) {
#pragma omp parallel
    {
        std::vector<float> sums(channels);
#pragma omp for
        for (int64_t line = 0; line < batch * rows; ++line) {
            const int64_t n = line / rows, row = line % rows;
            for (int64_t column = 0; column < columns; ++column) {
                std::copy(vectors + n * channels, vectors + (n + 1) * channels,
                          sums.begin());
                for (int64_t i = 0; i < count; ++i) {
                    const int64_t* size = numbers + 3 * i;
                    const bfloat16* map =
                        maps[i] + ((n * size[0] + row / size[2]) * size[1] +
                                   column / size[2]) *
                                      channels;
                    const float* factor = factors[i];
                    if (factor)
                        for (int64_t c = 0; c < channels; ++c)
                            sums[c] += factor[c] * widen(map[c]);
                    else
                        for (int64_t c = 0; c < channels; ++c)
                            sums[c] += widen(map[c]);
                }
                finish(sums.data(), channels, false,
                       total + (line * columns + column) * channels);
            }
        }
    }
}

// An image plus the blocks of upscaled maps (upscaled.py). numbers, for each
// map: its scale. blocks, for each: corners, sides, flanks, inner; with a scale
// of 2, the corners only. bias: one for each channel, instead of an image that
// is null.
void bfloat16_add_blocks(const int64_t* scales, const bfloat16* const* blocks,
                         const bfloat16* image, const float* bias,
                         bfloat16* sum, int64_t count, int64_t batch,
                         int64_t rows, int64_t columns, int64_t channels,
                         int64_t rectify) {
#pragma omp parallel
    {
        std::vector<float> sums(channels);
#pragma omp for
        for (int64_t line = 0; line < batch * rows; ++line) {
            const int64_t n = line / rows, row = line % rows;
            for (int64_t column = 0; column < columns; ++column) {
                const int64_t at = (line * columns + column) * channels;
                if (image)
                    for (int64_t c = 0; c < channels; ++c)
                        sums[c] = widen(image[at + c]);
                else
                    std::copy(bias, bias + channels, sums.begin());
                for (int64_t i = 0; i < count; ++i) {
                    const int64_t scale = scales[i];
                    const int64_t height = rows / scale, width = columns / scale;
                    const int64_t y = row / scale, x = column / scale;
                    const int64_t last_y = row % scale == scale - 1,
                                  last_x = column % scale == scale - 1;
                    const bool edge_y = last_y || row % scale == 0,
                               edge_x = last_x || column % scale == 0;
                    const bfloat16* const* kind = blocks + 4 * i;
                    const bfloat16* block;
                    // What falls on last rows and columns comes one later.
                    if (edge_y && edge_x)
                        block = kind[0] +
                                (((n * (height + 1) + y + last_y) * (width + 1) +
                                  x + last_x) *
                                     4 +
                                 2 * last_y + last_x) *
                                    channels;
                    else if (edge_y)
                        block = kind[1] +
                                (((n * (height + 1) + y + last_y) * width + x) *
                                     2 +
                                 last_y) *
                                    channels;
                    else if (edge_x)
                        block = kind[2] +
                                (((n * height + y) * (width + 1) + x + last_x) *
                                     2 +
                                 last_x) *
                                    channels;
                    else
                        block = kind[3] +
                                ((n * height + y) * width + x) * channels;
                    for (int64_t c = 0; c < channels; ++c)
                        sums[c] += widen(block[c]);
                }
                finish(sums.data(), channels, rectify, sum + at);
            }
        }
    }
}

}  // extern "C"
