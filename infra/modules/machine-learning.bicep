// The Azure Machine Learning workspace and what it cannot be without: vault, container registry, its storage, Application Insights.

import { Size } from 'sizes.bicep'
import { Names } from 'names.bicep'
import { roles } from 'roles.bicep'

param location string
param tags object
param token string
param names Names
param size Size
param privateNetwork bool
param workspaceStorageId string
param insightsId string
param logsName string

@description('Name of a registry to make, for assets shared between workspaces. Empty: none.')
param registryName string

resource logs 'Microsoft.OperationalInsights/workspaces@2023-09-01' existing = {
  name: logsName
}

module vault 'key-vault.bicep' = {
  name: 'key-vault'
  params: {
    name: 'kv-upkeep-${token}'
    location: location
    tags: tags
    purgeProtection: size.purgeProtection
    privateNetwork: privateNetwork
  }
}

module containerRegistry 'container-registry.bicep' = {
  name: 'container-registry'
  params: {
    name: names.containerRegistry
    location: location
    tags: tags
    sku: privateNetwork ? 'Premium' : size.registrySku
    privateNetwork: privateNetwork
  }
}

// systemDatastoresAuthMode came with API 2025-06-01: before it, a workspace cannot be declared over an account without shared keys.
resource workspace 'Microsoft.MachineLearningServices/workspaces@2025-09-01' = {
  name: names.workspace
  location: location
  tags: tags
  kind: 'Default'
  sku: {
    name: 'Basic'
    tier: 'Basic'
  }
  // Azure gives this identity the rights that the service needs on vault, registry and storage.
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    friendlyName: 'Upkeep'
    storageAccount: workspaceStorageId
    keyVault: vault.outputs.id
    containerRegistry: containerRegistry.outputs.id
    applicationInsights: insightsId
    systemDatastoresAuthMode: 'Identity'
    v1LegacyMode: false
    publicNetworkAccess: privateNetwork ? 'Disabled' : 'Enabled'
    // The tasks that build images run outside any network; behind a firewall the cluster builds them.
    imageBuildCompute: privateNetwork ? 'cpu-cluster' : null
    managedNetwork: {
      isolationMode: privateNetwork ? 'AllowInternetOutbound' : 'Disabled'
    }
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: workspace
  name: 'to-logs'
  properties: {
    workspaceId: logs.id
    logs: [
      {
        category: 'AmlComputeJobEvent'
        enabled: true
      }
      {
        category: 'AmlRunStatusChangedEvent'
        enabled: true
      }
    ]
  }
}

var approverRole = roles['Azure AI Enterprise Network Connection Approver']

// Behind a firewall the workspace makes the private endpoints of its managed network, and has to approve them itself.
resource approver 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (privateNetwork) {
  name: guid(workspace.id, approverRole)
  properties: {
    description: 'Approves the private endpoints of the managed network.'
    principalId: workspace.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', approverRole)
  }
}

module registry 'registry.bicep' = if (!empty(registryName)) {
  name: 'registry'
  params: {
    name: registryName
    location: location
    tags: tags
  }
}

output workspaceName string = workspace.name
output workspaceId string = workspace.id
output vaultId string = vault.outputs.id
output containerRegistryName string = containerRegistry.outputs.name
output containerRegistryId string = containerRegistry.outputs.id
