// Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
// Plays the part of the CUDA driver that shares memory with OpenGL, on a machine without a GPU: "device" memory is the
// computer's, and what is copied into a mapped texture or buffer is given to the real OpenGL when it is unmapped.
// Compiled against the real cuda.h, so that names, arguments and structures are NVIDIA's.

#include <cuda.h>
#if __has_include(<GL/gl.h>)
#include <cudaGL.h>
#else
typedef unsigned GLuint, GLenum, CUGLDeviceList;
#endif
#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXTURE_2D 0x0DE1
#define PIXEL_UNPACK_BUFFER 0x88EC
#define UNPACK_BINDING 0x88EF
#define RGBA8 0x8058
#define CONTEXT ((CUcontext)0x123456789abc)

char calls[1 << 16];       // every call in order, with its stream
char violations[1 << 12];  // what the real driver might refuse, crash at, or silently get wrong
char fails_at[64];         // the call to fail, with this code, after some that succeed
int fails_with, fails_after;
int opengl_device;         // what cuGLGetDevices names
size_t layout[17];         // offsets of CUDA_MEMCPY2D's fields, and its size

typedef struct {
    int live, mapped, level_count, levels[32][2];
    unsigned flags;
    GLuint texture, buffer;
    size_t size;
    unsigned char* memory;
    CUstream stream;
} Resource;

static Resource resources[64];
static __thread CUcontext current;

static void (*BindTexture)(unsigned, unsigned), (*BindBuffer)(unsigned, unsigned);
static void (*GetIntegerv)(unsigned, int*), (*GetTexLevelParameteriv)(unsigned, int, unsigned, int*);
static void (*GetBufferParameteriv)(unsigned, unsigned, int*);
static void (*BufferSubData)(unsigned, ptrdiff_t, ptrdiff_t, const void*);
static void (*TexSubImage2D)(unsigned, int, int, int, int, int, unsigned, unsigned, const void*);

void note(const char* text) { strcat(strcat(calls, text), ";"); }
static void wrong(const char* text) { strcat(strcat(violations, text), ". "); }
static void note_on(const char* name, CUstream stream) {
    char text[96];
    snprintf(text, sizeof text, "%s@%llx", name, (unsigned long long)(size_t)stream);
    note(text);
}

static CUresult failure(const char* name) {
    if (current != CONTEXT) return CUDA_ERROR_INVALID_CONTEXT;
    return !strcmp(name, fails_at) && fails_after-- <= 0 ? (CUresult)fails_with : CUDA_SUCCESS;
}
#define BEGIN(name) do { note(name); CUresult failed = failure(name); if (failed) return failed; } while (0)
#define BEGIN_ON(name, stream) do { note_on(name, stream); CUresult failed = failure(name); if (failed) return failed; } while (0)

static Resource* of(CUgraphicsResource handle) {
    size_t number = (size_t)handle - 1;
    if (number < 64 && resources[number].live) return &resources[number];
    wrong("a resource that is not registered is used");
    return NULL;
}

int registered(void) {
    int count = 0;
    for (int i = 0; i < 64; i++) count += resources[i].live;
    return count;
}

void reset(void) {
    calls[0] = violations[0] = fails_at[0] = 0;
    fails_after = opengl_device = 0;
    memset(resources, 0, sizeof resources);
    current = NULL;
}

static int level_sizes(GLuint texture, int sizes[32][2]) {
    int bound, count = 0;
    GetIntegerv(0x8069, &bound);  // GL_TEXTURE_BINDING_2D
    BindTexture(TEXTURE_2D, texture);
    memset(sizes, 0, sizeof(int[32][2]));
    for (int width = 1; count < 14 && width; count += width > 0) {
        GetTexLevelParameteriv(TEXTURE_2D, count, 0x1000, &width);  // GL_TEXTURE_WIDTH
        sizes[count][0] = width;
        GetTexLevelParameteriv(TEXTURE_2D, count, 0x1001, &sizes[count][1]);
    }
    int format = RGBA8;
    if (count) GetTexLevelParameteriv(TEXTURE_2D, 0, 0x1003, &format);  // GL_TEXTURE_INTERNAL_FORMAT
    BindTexture(TEXTURE_2D, bound);
    return format == RGBA8 ? count : 0;
}

CUresult cuInit(unsigned flags) {
    void* egl = dlopen("libEGL.so.1", RTLD_NOW);
    void* (*find)(const char*) = egl ? (void* (*)(const char*))dlsym(egl, "eglGetProcAddress") : NULL;
    if (!find) return CUDA_ERROR_NOT_INITIALIZED;
    *(void**)&BindTexture = find("glBindTexture");
    *(void**)&BindBuffer = find("glBindBuffer");
    *(void**)&GetIntegerv = find("glGetIntegerv");
    *(void**)&GetTexLevelParameteriv = find("glGetTexLevelParameteriv");
    *(void**)&GetBufferParameteriv = find("glGetBufferParameteriv");
    *(void**)&BufferSubData = find("glBufferSubData");
    *(void**)&TexSubImage2D = find("glTexSubImage2D");
    const size_t offsets[17] = {
#define AT(field) offsetof(CUDA_MEMCPY2D, field)
        AT(srcXInBytes), AT(srcY), AT(srcMemoryType), AT(srcHost), AT(srcDevice), AT(srcArray), AT(srcPitch),
        AT(dstXInBytes), AT(dstY), AT(dstMemoryType), AT(dstHost), AT(dstDevice), AT(dstArray), AT(dstPitch),
        AT(WidthInBytes), AT(Height), sizeof(CUDA_MEMCPY2D),
    };
    memcpy(layout, offsets, sizeof layout);
    return CUDA_SUCCESS;
}

CUresult cuGetErrorName(CUresult error, const char** name) {
    *name = error == CUDA_ERROR_OUT_OF_MEMORY      ? "CUDA_ERROR_OUT_OF_MEMORY"
            : error == CUDA_ERROR_OPERATING_SYSTEM ? "CUDA_ERROR_OPERATING_SYSTEM"
            : error == CUDA_ERROR_INVALID_HANDLE   ? "CUDA_ERROR_INVALID_HANDLE"
                                                   : "CUDA_ERROR_UNKNOWN";
    return CUDA_SUCCESS;
}

CUresult cuDeviceGet(CUdevice* device, int ordinal) { *device = ordinal; return CUDA_SUCCESS; }
CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice device) { *context = CONTEXT; return CUDA_SUCCESS; }
CUresult cuCtxGetCurrent(CUcontext* context) { *context = current; return CUDA_SUCCESS; }
CUresult cuCtxSetCurrent(CUcontext context) { current = context; return CUDA_SUCCESS; }
CUresult cuLaunchKernel(CUfunction f, unsigned a, unsigned b, unsigned c, unsigned d, unsigned e, unsigned g,
                        unsigned shared, CUstream stream, void** arguments, void** extra) { return CUDA_ERROR_NOT_FOUND; }

CUresult cuGLGetDevices_v2(unsigned* count, CUdevice* devices, unsigned most, CUGLDeviceList which) {
    BEGIN("cuGLGetDevices");
    if (which != 1 || !most) return CUDA_ERROR_INVALID_VALUE;
    *count = 1;
    devices[0] = opengl_device;
    return CUDA_SUCCESS;
}

static CUresult enlist(CUgraphicsResource* handle, Resource resource) {
    for (int i = 0; i < 64; i++)
        if (resources[i].live && resources[i].texture == resource.texture && resources[i].buffer == resource.buffer)
            wrong("something is registered twice");
    for (int i = 0; i < 64; i++)
        if (!resources[i].live) {
            resource.live = 1;
            resource.memory = malloc(resource.size);
            resources[i] = resource;
            *handle = (CUgraphicsResource)(size_t)(i + 1);
            return CUDA_SUCCESS;
        }
    return CUDA_ERROR_OUT_OF_MEMORY;
}

CUresult cuGraphicsGLRegisterImage(CUgraphicsResource* handle, GLuint texture, GLenum target, unsigned flags) {
    BEGIN("cuGraphicsGLRegisterImage");
    Resource resource = {.texture = texture, .flags = flags};
    resource.level_count = level_sizes(texture, resource.levels);
    if (target != TEXTURE_2D || flags != CU_GRAPHICS_REGISTER_FLAGS_WRITE_DISCARD || !resource.level_count)
        return CUDA_ERROR_INVALID_VALUE;
    resource.size = 4 * (size_t)resource.levels[0][0] * resource.levels[0][1];
    return enlist(handle, resource);
}

CUresult cuGraphicsGLRegisterBuffer(CUgraphicsResource* handle, GLuint buffer, unsigned flags) {
    BEGIN("cuGraphicsGLRegisterBuffer");
    int size = 0, bound;
    GetIntegerv(UNPACK_BINDING, &bound);
    BindBuffer(PIXEL_UNPACK_BUFFER, buffer);
    GetBufferParameteriv(PIXEL_UNPACK_BUFFER, 0x8764, &size);  // GL_BUFFER_SIZE
    BindBuffer(PIXEL_UNPACK_BUFFER, bound);
    if (flags != CU_GRAPHICS_REGISTER_FLAGS_WRITE_DISCARD || !size) return CUDA_ERROR_INVALID_VALUE;
    return enlist(handle, (Resource){.buffer = buffer, .flags = flags, .size = size});
}

CUresult cuGraphicsMapResources(unsigned count, CUgraphicsResource* handles, CUstream stream) {
    BEGIN_ON("cuGraphicsMapResources", stream);
    Resource* resource = count == 1 ? of(*handles) : NULL;
    if (!resource) return CUDA_ERROR_INVALID_HANDLE;
    if (resource->mapped) {
        wrong("something is mapped twice");
        return CUDA_ERROR_ALREADY_MAPPED;
    }
    if (resource->texture) {
        int levels[32][2];
        level_sizes(resource->texture, levels);
        if (memcmp(levels, resource->levels, sizeof levels)) wrong("a registered texture was given other storage");
    }
    resource->mapped = 1;
    resource->stream = stream;
    memset(resource->memory, 0xCD, resource->size);  // WRITE_DISCARD
    return CUDA_SUCCESS;
}

CUresult cuGraphicsSubResourceGetMappedArray(CUarray* array, CUgraphicsResource handle, unsigned side, unsigned level) {
    BEGIN("cuGraphicsSubResourceGetMappedArray");
    Resource* resource = of(handle);
    if (!resource || !resource->mapped || !resource->texture || side || level) {
        wrong("an array is asked for that is not there");
        return CUDA_ERROR_NOT_MAPPED_AS_ARRAY;
    }
    *array = (CUarray)resource;
    return CUDA_SUCCESS;
}

CUresult cuGraphicsResourceGetMappedPointer_v2(CUdeviceptr* pointer, size_t* size, CUgraphicsResource handle) {
    BEGIN("cuGraphicsResourceGetMappedPointer");
    Resource* resource = of(handle);
    if (!resource || !resource->mapped || !resource->buffer) {
        wrong("a pointer is asked for that is not there");
        return CUDA_ERROR_NOT_MAPPED_AS_POINTER;
    }
    *pointer = (CUdeviceptr)(size_t)resource->memory;
    *size = resource->size;
    return CUDA_SUCCESS;
}

CUresult cuMemcpy2DAsync_v2(const CUDA_MEMCPY2D* copy, CUstream stream) {
    BEGIN_ON("cuMemcpy2DAsync", stream);
    Resource* target = (Resource*)copy->dstArray;
    if (target < resources || target >= resources + 64 || !target->mapped || target->stream != stream) {
        wrong("an array is written that is not mapped for this stream");
        return CUDA_ERROR_INVALID_HANDLE;
    }
    const size_t width = target->levels[0][0], height = target->levels[0][1];
    if (copy->srcMemoryType != CU_MEMORYTYPE_DEVICE || copy->dstMemoryType != CU_MEMORYTYPE_ARRAY || copy->srcHost ||
        copy->dstHost || copy->srcArray || copy->dstDevice || copy->srcXInBytes || copy->srcY || copy->dstXInBytes ||
        copy->dstY || copy->srcPitch != 4 * width || copy->WidthInBytes != 4 * width || copy->Height != height) {
        wrong("a copy is not of the whole picture");
        return CUDA_ERROR_INVALID_VALUE;
    }
    memcpy(target->memory, (const void*)(size_t)copy->srcDevice, copy->srcPitch * copy->Height);
    return CUDA_SUCCESS;
}

CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr target, CUdeviceptr source, size_t size, CUstream stream) {
    BEGIN_ON("cuMemcpyDtoDAsync", stream);
    for (int i = 0; i < 64; i++) {
        Resource* resource = &resources[i];
        if (resource->live && resource->mapped && resource->stream == stream && resource->size == size &&
            (CUdeviceptr)(size_t)resource->memory == target) {
            memcpy(resource->memory, (const void*)(size_t)source, size);
            return CUDA_SUCCESS;
        }
    }
    wrong("memory is written that is not mapped for this stream");
    return CUDA_ERROR_INVALID_VALUE;
}

CUresult cuGraphicsUnmapResources(unsigned count, CUgraphicsResource* handles, CUstream stream) {
    BEGIN_ON("cuGraphicsUnmapResources", stream);
    Resource* resource = count == 1 ? of(*handles) : NULL;
    if (!resource || !resource->mapped || resource->stream != stream) {
        wrong("something is unmapped that is not mapped on this stream");
        return CUDA_ERROR_NOT_MAPPED;
    }
    resource->mapped = 0;
    int bound;
    if (resource->texture) {
        GetIntegerv(0x8069, &bound);
        BindTexture(TEXTURE_2D, resource->texture);
        TexSubImage2D(TEXTURE_2D, 0, 0, 0, resource->levels[0][0], resource->levels[0][1], 0x1908, 0x1401, resource->memory);
        BindTexture(TEXTURE_2D, bound);
    } else {
        GetIntegerv(UNPACK_BINDING, &bound);
        BindBuffer(PIXEL_UNPACK_BUFFER, resource->buffer);
        BufferSubData(PIXEL_UNPACK_BUFFER, 0, resource->size, resource->memory);
        BindBuffer(PIXEL_UNPACK_BUFFER, bound);
    }
    return CUDA_SUCCESS;
}

CUresult cuGraphicsUnregisterResource(CUgraphicsResource handle) {
    BEGIN("cuGraphicsUnregisterResource");
    Resource* resource = of(handle);
    if (!resource) return CUDA_ERROR_INVALID_HANDLE;
    if (resource->mapped) wrong("something is unregistered while it is mapped");
    if (resource->texture) {
        int levels[32][2];
        level_sizes(resource->texture, levels);
        if (memcmp(levels, resource->levels, sizeof levels)) wrong("a registered texture was given other storage");
    }
    free(resource->memory);
    resource->live = resource->mapped = 0;
    return CUDA_SUCCESS;
}
