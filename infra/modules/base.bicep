// What everything else stands on: network, logs, storage, and Azure Machine Learning with its cluster and datastores.

import { Size } from 'sizes.bicep'
import { Names } from 'names.bicep'

param environmentName string
param location string
param token string
param tags object
param names Names
param size Size
param privateNetwork bool
param trainingVmSize string
param registryName string
param emails string
param budgetAmount int
param budgetStartDate string

module identities 'identities.bicep' = {
  name: 'identities'
  params: {
    location: location
    tags: tags
    names: names
  }
}

module monitoring 'monitoring.bicep' = {
  name: 'monitoring'
  params: {
    location: location
    tags: tags
    names: names
    logDays: size.logDays
  }
}

module performance 'performance-table.bicep' = {
  name: 'performance-table'
  params: {
    location: location
    tags: tags
    token: token
    logsName: monitoring.outputs.logsName
  }
}

module data 'data.bicep' = {
  name: 'data'
  params: {
    location: location
    tags: tags
    names: names
    size: size
    privateNetwork: privateNetwork
  }
}

module learning 'machine-learning.bicep' = {
  name: 'machine-learning'
  params: {
    location: location
    tags: tags
    token: token
    names: names
    size: size
    privateNetwork: privateNetwork
    workspaceStorageId: data.outputs.workspaceStorageId
    insightsId: monitoring.outputs.insightsId
    logsName: monitoring.outputs.logsName
    registryName: registryName
  }
}

module training 'training.bicep' = {
  name: 'training'
  params: {
    location: location
    tags: tags
    workspaceName: learning.outputs.workspaceName
    storageName: data.outputs.storageName
    workspaceStorageName: data.outputs.workspaceStorageName
    containerRegistryName: learning.outputs.containerRegistryName
    identityName: identities.outputs.computeName
    vmSize: trainingVmSize
    nodes: size.trainingNodes
    privateNetwork: privateNetwork
  }
}

module network 'network.bicep' = if (privateNetwork) {
  name: 'network'
  params: {
    location: location
    tags: tags
    token: token
    storageId: data.outputs.storageId
    workspaceStorageId: data.outputs.workspaceStorageId
    vaultId: learning.outputs.vaultId
    containerRegistryId: learning.outputs.containerRegistryId
    workspaceId: learning.outputs.workspaceId
  }
}

module budget 'budget.bicep' = if (budgetAmount > 0 && !empty(budgetStartDate)) {
  name: 'budget'
  params: {
    name: 'upkeep-${environmentName}'
    amount: budgetAmount
    startDate: budgetStartDate
    emails: emails
  }
}

output appPrincipalId string = identities.outputs.appPrincipalId
output blobService string = data.outputs.blobService
output queueService string = data.outputs.queueService
output tableService string = data.outputs.tableService
output logWorkspaceId string = monitoring.outputs.logsCustomerId
output performanceEndpoint string = performance.outputs.endpointUri
output performanceRuleId string = performance.outputs.ruleId
output appSubnetId string = privateNetwork ? network!.outputs.appSubnetId : ''
